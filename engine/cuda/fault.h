#pragma once

#include <cstdint>

#include "engine/device.h"

namespace plumb {

/// What a kernel found wrong with its data. A kernel cannot throw, and a host that asked after every launch would wait
/// for the device and could not capture a step as a graph; so the kernel writes it down here, goes on with something
/// harmless, and the host looks the next time it waits for the device anyway (copy_to_host, synchronize).
struct IndexFault {
  int32_t count = 0;         // of faults since the last look; the first one is described
  const char* op = nullptr;  // a literal of the host's
  int64_t position = 0, value = 0, limit = 0;
};

/// The record of `device`, in memory that both sides reach. Made by the first call, so before a capture. Throws
/// CudaError.
IndexFault* index_fault(Device device);

/// Throws IndexError for what is in the record, and empties it. Call when the device is idle.
void raise_index_fault(IndexFault& fault);

}  // namespace plumb
