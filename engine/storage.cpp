#include "engine/storage.h"

#include <new>

#include "engine/allocator.h"
#include "engine/cuda/memory.h"
#include "engine/format.h"
#include "engine/packed_cache.h"
#include "engine/require.h"

namespace plumb {
namespace {
// The header sits in front of the bytes, so a small tensor costs one allocation, and keeps them 64-byte aligned.
constexpr size_t kStorageHeader = 64;
static_assert(sizeof(Storage) <= kStorageHeader);
}  // namespace

Ref<Storage> Storage::allocate(size_t bytes, Device device) {
  if (device.is_cuda()) return allocate_on_cuda(bytes, device);
  char* memory = static_cast<char*>(allocate_cpu(bytes + kStorageHeader));
  Storage* storage = new (memory) Storage;
  storage->data_ = memory + kStorageHeader;
  storage->bytes_ = bytes;
  storage->device_ = device;
  return Ref<Storage>::adopt(storage);
}

Ref<Storage> Storage::wrap(void* data, size_t bytes, void (*release)(void*), void* owner) {
  Storage* storage = new (allocate_cpu(kStorageHeader)) Storage;
  storage->data_ = data;
  storage->bytes_ = bytes;
  storage->release_owner_ = release;
  storage->owner_ = owner;
  return Ref<Storage>::adopt(storage);
}

Ref<Storage> Storage::allocate_on_cuda(size_t bytes, Device device) {
  CudaBlock* block = allocate_cuda(bytes, device);
  Ref<Storage> storage = wrap(
      block->data, bytes, [](void* owner) { free_cuda(static_cast<CudaBlock*>(owner)); }, block);
  storage->device_ = device;
  return storage;
}

void Storage::destroy(Storage* storage) {
  detail::forget_packed(storage);
  if (storage->release_owner_) storage->release_owner_(storage->owner_);
  storage->~Storage();
  free_cpu(storage);
}

}  // namespace plumb
