#include "engine/cuda/caching_allocator.h"

#include <algorithm>
#include <bit>

#include "engine/require.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace plumb {

/// The blocks of one graph: free ones by size.
struct MemoryPool {
  std::map<size_t, CudaBlock*> cached;
  int64_t in_use = 0;  // blocks handed out
  int64_t bytes = 0;   // of all its blocks
  bool retired = false;
};

namespace {

// A build with sanitizers has no device but the emulated one, whose memory is the CPU's: what nobody was given, the
// rest of a size class included, is not to be touched.
void poison([[maybe_unused]] void* memory, [[maybe_unused]] size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  ASAN_POISON_MEMORY_REGION(memory, bytes);
#endif
}
void unpoison([[maybe_unused]] void* memory, [[maybe_unused]] size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  ASAN_UNPOISON_MEMORY_REGION(memory, bytes);
#endif
}

}  // namespace

CachingAllocator::CachingAllocator(std::string name, MemorySource source) : name_(std::move(name)), source_(source) {}

CachingAllocator::~CachingAllocator() { release_cached(); }

size_t CachingAllocator::rounded(size_t bytes) {
  constexpr size_t kSmallest = 512;
  if (bytes <= kSmallest) return kSmallest;
  const size_t step = std::bit_floor(bytes - 1) / 8;
  return (bytes + step - 1) / step * step;
}

CudaBlock*& CachingAllocator::cache_of(MemoryPool* pool, void* stream, size_t size) {
  return pool ? pool->cached[size] : cached_[{stream, size}];
}

CudaBlock* CachingAllocator::allocate(size_t bytes, void* stream) {
  require<MemoryError>(bytes < (size_t(1) << 50), "allocate: more bytes than any device has ({}) on {}", bytes, name_);
  const size_t size = rounded(bytes);
  const std::lock_guard lock(mutex_);
  ++statistics_.requests;
  MemoryPool* pool = open_pool_ && open_stream_ == stream ? open_pool_ : nullptr;
  CudaBlock*& head = cache_of(pool, stream, size);
  CudaBlock* block = head;
  if (block) {
    head = block->next;
  } else {
    void* data = take(size, !open_pool_);
    if (!data)
      raise<MemoryError>("allocate: out of memory on {} ({} bytes asked for, {} in use, {} held, cap {})", name_, bytes,
                         statistics_.allocated_bytes, statistics_.reserved_bytes,
                         cap_ > 0 ? std::to_string(cap_) : "none");
    block = new CudaBlock{data, size, stream, this, nullptr, pool};
    if (pool) pool->bytes += int64_t(size);
  }
  if (pool) ++pool->in_use;
  unpoison(block->data, bytes);
  statistics_.allocated_bytes += int64_t(size);
  statistics_.peak_allocated_bytes = std::max(statistics_.peak_allocated_bytes, statistics_.allocated_bytes);
  return block;
}

// During a capture nothing is given back: freeing waits for the device.
void* CachingAllocator::take(size_t size, bool may_release) {
  const auto fits = [&] { return cap_ == 0 || statistics_.reserved_bytes + int64_t(size) <= cap_; };
  ++statistics_.system_requests;
  void* memory = fits() ? source_.take(size) : nullptr;
  if (!memory && may_release) {
    release_all_cached();
    memory = fits() ? source_.take(size) : nullptr;
  }
  if (memory) {
    statistics_.reserved_bytes += int64_t(size);
    poison(memory, size);
  }
  return memory;
}

void CachingAllocator::give(CudaBlock* block) {
  unpoison(block->data, block->bytes);
  source_.give(block->data);
  statistics_.reserved_bytes -= int64_t(block->bytes);
  delete block;
}

void CachingAllocator::free(CudaBlock* block) {
  const std::lock_guard lock(mutex_);
  statistics_.allocated_bytes -= int64_t(block->bytes);
  if (MemoryPool* pool = block->pool) {
    --pool->in_use;
    if (pool->retired) {
      pool->bytes -= int64_t(block->bytes);
      block->pool = nullptr;
      if (pool->in_use == 0) delete pool;
      if (!open_pool_) return give(block);
    }
  }
  if (open_pool_ && !block->pool) {
    block->pool = open_pool_;
    open_pool_->bytes += int64_t(block->bytes);
  }
  if (!block->pool) poison(block->data, block->bytes);  // replays use a pool's
  CudaBlock*& head = cache_of(block->pool, block->stream, block->bytes);
  block->next = head;
  head = block;
}

MemoryPool* CachingAllocator::make_pool() { return new MemoryPool; }

void CachingAllocator::retire_pool(MemoryPool* pool) {
  const std::lock_guard lock(mutex_);
  for (auto& [size, head] : pool->cached)
    while (head) {
      CudaBlock* next = head->next;
      pool->bytes -= int64_t(size);
      give(head);
      head = next;
    }
  pool->retired = true;
  if (pool->in_use == 0) delete pool;
}

void CachingAllocator::open_pool(MemoryPool* pool, void* stream) {
  const std::lock_guard lock(mutex_);
  require<Error>(!open_pool_, "CudaGraph: only one capture at a time on {}", name_);
  open_pool_ = pool;
  open_stream_ = stream;
}

void CachingAllocator::close_pool() {
  const std::lock_guard lock(mutex_);
  open_pool_ = nullptr;
}

int64_t CachingAllocator::pool_bytes(const MemoryPool* pool) const {
  const std::lock_guard lock(mutex_);
  return pool->bytes;
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
      give(head);
      head = next;
    }
}

}  // namespace plumb
