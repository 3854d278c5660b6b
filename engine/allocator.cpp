// Size classes: four to a doubling from 128 bytes up, eight from 16 MiB up, so a block is at most a quarter, then an
// eighth, larger than what was asked for (the 24.7 MiB of a UNet's weights take 26, not 28, four times over; eight from
// 8 MiB up left blocks of fewer kinds to be used again: 10 MiB more of the system). A block carries a 64-byte header
// with its class; the memory handed out starts right behind it. The header comes on top of the class, and so does that
// of a Storage: with them inside, tensors of 2^n bytes, which networks are made of, would each waste a fifth (the
// 6.47 M-parameter UNet's training step: 14% of its memory). Small classes are cached per thread without a lock, up to
// a bound; everything else goes through one list a class under one mutex.

#include "engine/allocator.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <mutex>

#include "engine/cuda/memory.h"
#include "engine/profile/memory_hook.h"
#include "engine/require.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace plumb {
namespace {

constexpr size_t kHeader = 64;
constexpr size_t kStorageHeader = 64;  // in front of the bytes of nearly every request, see storage.cpp
constexpr int kFineLog2 = 24;          // from 16 MiB up: eight classes to a doubling
constexpr int kFineClass = 4 * (kFineLog2 - 7);
constexpr int kClasses = kFineClass + 8 * 32;
constexpr int kThreadClasses = 4 * 10;  // up to 128 KiB
constexpr int kThreadKept = 64;
// A large request may take an idle block of up to twice its size instead of fresh memory: the same training step then
// needs 449 MB from the system instead of 496 (469 with one class up, 460 with two).
constexpr int kBorrowed = 4;
constexpr size_t kHugePage = size_t(2) << 20;

struct Block {
  Block* next;
  size_t bytes;  // whole block, header included
  int size_class;
};

int class_of(size_t bytes) {
  if (bytes <= 128) return 0;
  const int log2 = std::bit_width(bytes - 1) - 1;  // 2^log2 < bytes <= 2^(log2+1)
  const bool fine = log2 >= kFineLog2;
  const size_t part = size_t(1) << (log2 - (fine ? 3 : 2));
  const int step = int((bytes - (size_t(1) << log2) + part - 1) / part);
  return (fine ? kFineClass + (log2 - kFineLog2) * 8 : (log2 - 7) * 4) + step;
}

size_t bytes_of(int size_class) {
  if (size_class >= kFineClass) {
    const size_t base = size_t(1) << (kFineLog2 + (size_class - kFineClass) / 8);
    return base + (base / 8) * size_t((size_class - kFineClass) % 8);
  }
  const size_t base = size_t(128) << (size_class / 4);
  return base + (base / 4) * size_t(size_class % 4);
}

void poison([[maybe_unused]] Block* block) {
#if defined(__SANITIZE_ADDRESS__)
  ASAN_POISON_MEMORY_REGION(reinterpret_cast<char*>(block) + kHeader, block->bytes - kHeader);
#endif
}

void unpoison([[maybe_unused]] Block* block) {
#if defined(__SANITIZE_ADDRESS__)
  ASAN_UNPOISON_MEMORY_REGION(reinterpret_cast<char*>(block) + kHeader, block->bytes - kHeader);
#endif
}

void free_block(Block* block) {
  unpoison(block);
  std::free(block);
}

struct Counters {
  std::atomic<int64_t> allocated{0}, peak{0}, reserved{0}, requests{0}, system_requests{0};
};

struct SharedCache {
  std::mutex mutex;
  std::array<Block*, kClasses> heads{};
};

// Never destroyed: tensors in static storage may be freed after any destructor here would have run.
Counters& counters() {
  static Counters& instance = *new Counters;
  return instance;
}
SharedCache& shared_cache() {
  static SharedCache& instance = *new SharedCache;
  return instance;
}

void give_shared(Block* block) {
  SharedCache& cache = shared_cache();
  std::lock_guard lock(cache.mutex);
  block->next = cache.heads[size_t(block->size_class)];
  cache.heads[size_t(block->size_class)] = block;
}

struct ThreadCache {
  std::array<Block*, kThreadClasses> heads{};
  std::array<int, kThreadClasses> counts{};
  bool closed = false;
  ~ThreadCache() {
    closed = true;
    for (Block*& head : heads)
      while (head) {
        Block* next = head->next;
        give_shared(head);
        head = next;
      }
  }
};

ThreadCache& thread_cache() {
  static thread_local ThreadCache cache;
  return cache;
}

Block* take_cached(int size_class) {
  if (size_class < kThreadClasses) {
    ThreadCache& cache = thread_cache();
    if (Block* block = cache.heads[size_t(size_class)]) {
      cache.heads[size_t(size_class)] = block->next;
      --cache.counts[size_t(size_class)];
      return block;
    }
  }
  SharedCache& cache = shared_cache();
  std::lock_guard lock(cache.mutex);
  const int borrowed = size_class < kFineClass ? kBorrowed : 2 * kBorrowed;
  const int last = size_class < kThreadClasses ? size_class : std::min(size_class + borrowed, kClasses - 1);
  for (int c = size_class; c <= last; ++c)
    if (Block* block = cache.heads[size_t(c)]) {
      cache.heads[size_t(c)] = block->next;
      return block;
    }
  return nullptr;
}

Block* take_from_system(size_t bytes, int size_class) {
  counters().system_requests.fetch_add(1, std::memory_order_relaxed);
  void* memory = nullptr;
  const size_t alignment = bytes >= kHugePage ? kHugePage : 64;
  if (posix_memalign(&memory, alignment, bytes) != 0) {
    release_cached_memory();
    if (posix_memalign(&memory, alignment, bytes) != 0)
      raise<MemoryError>("allocate: out of memory on cpu ({} bytes asked for, {} in use)", bytes,
                         counters().allocated.load());
  }
  if (bytes >= kHugePage) madvise(memory, bytes, MADV_HUGEPAGE);
  counters().reserved.fetch_add(int64_t(bytes), std::memory_order_relaxed);
  return new (memory) Block{nullptr, bytes, size_class};
}

}  // namespace

void* allocate_cpu(size_t bytes) {
  require<MemoryError>(bytes < (size_t(1) << 50), "allocate: more bytes than any machine has ({})", bytes);
  const int size_class = class_of(bytes < kStorageHeader ? 0 : bytes - kStorageHeader);
  Counters& count = counters();
  count.requests.fetch_add(1, std::memory_order_relaxed);
  Block* block = take_cached(size_class);
  if (!block) block = take_from_system(kHeader + kStorageHeader + bytes_of(size_class), size_class);
  unpoison(block);
  const int64_t now =
      count.allocated.fetch_add(int64_t(block->bytes), std::memory_order_relaxed) + int64_t(block->bytes);
  int64_t peak = count.peak.load(std::memory_order_relaxed);
  while (now > peak && !count.peak.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
  detail::note_memory(block, int64_t(block->bytes), int64_t(bytes));
  return reinterpret_cast<char*>(block) + kHeader;
}

void free_cpu(void* memory) {
  Block* block = reinterpret_cast<Block*>(static_cast<char*>(memory) - kHeader);
  counters().allocated.fetch_sub(int64_t(block->bytes), std::memory_order_relaxed);
  detail::note_memory(block, -int64_t(block->bytes));
  poison(block);
  if (block->size_class < kThreadClasses) {
    ThreadCache& cache = thread_cache();
    int& kept = cache.counts[size_t(block->size_class)];
    if (!cache.closed && kept < kThreadKept) {
      block->next = cache.heads[size_t(block->size_class)];
      cache.heads[size_t(block->size_class)] = block;
      ++kept;
      return;
    }
  }
  give_shared(block);
}

AllocatorStatistics allocator_statistics(Device device) {
  if (device.is_cuda()) return cuda_statistics(device);
  const Counters& count = counters();
  return {count.allocated.load(), count.peak.load(), count.reserved.load(), count.requests.load(),
          count.system_requests.load()};
}

void reset_peak_memory(Device device) {
  if (device.is_cuda()) return reset_cuda_peak(device);
  counters().peak.store(counters().allocated.load());
}

void release_cached_memory(Device device) {
  if (device.is_cuda()) return release_cuda_cache(device);
  SharedCache& cache = shared_cache();
  std::lock_guard lock(cache.mutex);
  for (Block*& head : cache.heads)
    while (head) {
      Block* next = head->next;
      counters().reserved.fetch_sub(int64_t(head->bytes), std::memory_order_relaxed);
      free_block(head);
      head = next;
    }
}

}  // namespace plumb
