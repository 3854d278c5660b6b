#pragma once

#include <cstddef>

#include "engine/device.h"

namespace plumb {

/// Copies between the CPU and a CUDA device, in order with the device's current stream. Large copies go through a ring
/// of pinned buffers, since only pinned memory is copied while the CPU goes on.
/// copy_to_device returns when `from` may be changed, copy_to_host when `to` is filled. Throw CudaError, DeviceError;
/// copy_to_host IndexError for an index that a kernel before it found outside its range (fault.h).
void copy_to_device(const void* from, void* to, size_t bytes, Device device);
void copy_to_host(const void* from, void* to, size_t bytes, Device device);
/// Waits until everything asked of the device's current stream is done. Throws as copy_to_host.
void synchronize(Device device);

}  // namespace plumb
