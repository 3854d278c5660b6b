#pragma once

// The memory of the emulated device: one range of addresses that nobody may touch except while the device works, so
// that host code which follows a device pointer ends at once (SIGSEGV), as it would with a GPU. With the address
// sanitizer every piece is a block of malloc instead, whose red zones show a kernel that leaves its memory.

#include <cstddef>

namespace plumb::emulator {

inline constexpr size_t kDeviceBytes = size_t(16) << 30;

/// Null when there is none left. Filled with 0xFF, so that nobody finds zeros by chance.
void* take_device_memory(size_t bytes);
/// False when `memory` was not taken.
bool give_device_memory(void* memory);
/// All of [memory, memory + bytes) was taken in one piece.
bool is_device_memory(const void* memory, size_t bytes);
size_t device_bytes_in_use();
/// The size of the device from now on, at most kDeviceBytes. For tests of running out.
void set_device_bytes(size_t bytes);
size_t device_bytes();

/// Device memory may be read and written while one lives. May be nested.
class DeviceAccess {
 public:
  DeviceAccess();
  ~DeviceAccess();
  DeviceAccess(const DeviceAccess&) = delete;
  DeviceAccess& operator=(const DeviceAccess&) = delete;
};

}  // namespace plumb::emulator
