#pragma once

#include <string>

#include "engine/device.h"
#include "engine/io/json.h"

namespace plumb {

/// Most bytes the process ever held in memory, by the operating system's count.
int64_t peak_process_bytes();

/// For metrics.json: peak_bytes (most in use by tensors, in a training run since its first step), reserved_bytes (taken
/// from the system by the allocator), both of `device`, peak_process_bytes.
Json memory_report(Device device = kCpu);

/// "peak memory 3.1 MiB in tensors, 105 MiB of the process".
std::string memory_line(Device device = kCpu);

}  // namespace plumb
