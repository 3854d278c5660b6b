#include "engine/cuda/caching_allocator.h"

#include <algorithm>
#include <bit>

#include "engine/require.h"

namespace plumb {

CachingAllocator::CachingAllocator(std::string name, MemorySource source) : name_(std::move(name)), source_(source) {}

CachingAllocator::~CachingAllocator() { release_cached(); }

size_t CachingAllocator::rounded(size_t bytes) {
  constexpr size_t kSmallest = 512;
  if (bytes <= kSmallest) return kSmallest;
  const size_t step = std::bit_floor(bytes - 1) / 8;
  return (bytes + step - 1) / step * step;
}

CudaBlock* CachingAllocator::allocate(size_t bytes, void* stream) {
  require<MemoryError>(bytes < (size_t(1) << 50), "allocate: more bytes than any device has ({}) on {}", bytes, name_);
  const size_t size = rounded(bytes);
  const std::lock_guard lock(mutex_);
  ++statistics_.requests;
  CudaBlock*& head = cached_[{stream, size}];
  CudaBlock* block = head;
  if (block) {
    head = block->next;
  } else {
    block = new CudaBlock{nullptr, size, stream, this, nullptr};
    block->data = take(size);
    if (!block->data) {
      delete block;
      raise<MemoryError>("allocate: out of memory on {} ({} bytes asked for, {} in use, {} held, cap {})", name_, bytes,
                         statistics_.allocated_bytes, statistics_.reserved_bytes,
                         cap_ > 0 ? std::to_string(cap_) : "none");
    }
  }
  statistics_.allocated_bytes += int64_t(size);
  statistics_.peak_allocated_bytes = std::max(statistics_.peak_allocated_bytes, statistics_.allocated_bytes);
  return block;
}

void* CachingAllocator::take(size_t size) {
  const auto fits = [&] { return cap_ == 0 || statistics_.reserved_bytes + int64_t(size) <= cap_; };
  ++statistics_.system_requests;
  void* memory = fits() ? source_.take(size) : nullptr;
  if (!memory) {
    release_all_cached();
    memory = fits() ? source_.take(size) : nullptr;
  }
  if (memory) statistics_.reserved_bytes += int64_t(size);
  return memory;
}

void CachingAllocator::free(CudaBlock* block) {
  const std::lock_guard lock(mutex_);
  statistics_.allocated_bytes -= int64_t(block->bytes);
  CudaBlock*& head = cached_[{block->stream, block->bytes}];
  block->next = head;
  head = block;
}

void CachingAllocator::set_cap(int64_t bytes) {
  const std::lock_guard lock(mutex_);
  cap_ = bytes;
}

AllocatorStatistics CachingAllocator::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

void CachingAllocator::reset_peak() {
  const std::lock_guard lock(mutex_);
  statistics_.peak_allocated_bytes = statistics_.allocated_bytes;
}

void CachingAllocator::release_cached() {
  const std::lock_guard lock(mutex_);
  release_all_cached();
}

// Empty lists stay in the map: `allocate` holds a reference to one of them.
void CachingAllocator::release_all_cached() {
  for (auto& [key, head] : cached_)
    while (head) {
      CudaBlock* next = head->next;
      source_.give(head->data);
      statistics_.reserved_bytes -= int64_t(head->bytes);
      delete head;
      head = next;
    }
}

}  // namespace plumb
