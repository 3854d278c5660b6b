#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/device.h"
#include "engine/intrusive.h"

namespace plumb {

/// A run of bytes on one device, shared by every tensor that views it. Its version counts in-place writes: autograd
/// compares it to tell that a saved tensor was overwritten, prepacked weights to tell that they are stale.
class Storage : public RefCounted<Storage> {
 public:
  /// Fresh, uninitialised bytes, aligned to 64 (256 on CUDA). Throws MemoryError, DeviceError.
  static Ref<Storage> allocate(size_t bytes, Device device);
  /// Bytes owned by somebody else; `release(owner)` is called when the last tensor lets go (a mapped file, say).
  static Ref<Storage> wrap(void* data, size_t bytes, void (*release)(void*), void* owner);

  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  Device device() const { return device_; }
  uint32_t version() const { return version_; }
  void bump_version() { ++version_; }

  static void destroy(Storage* storage);

 private:
  Storage() = default;
  static Ref<Storage> allocate_on_cuda(size_t bytes, Device device);

  void* data_ = nullptr;
  size_t bytes_ = 0;
  void (*release_owner_)(void*) = nullptr;  // null: the bytes follow this header in the same block
  void* owner_ = nullptr;
  uint32_t version_ = 0;
  Device device_{};
};

}  // namespace plumb
