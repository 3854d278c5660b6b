#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "engine/allocator.h"

namespace plumb {

/// Where a caching allocator takes memory from: cudaMalloc and cudaFree, or a test's own functions. `take` returns null
/// when there is no memory left. `give` must not return before the device is done with the memory, as cudaFree.
struct MemorySource {
  void* (*take)(size_t bytes);
  void (*give)(void* memory);
};

class CachingAllocator;
struct MemoryPool;

/// Device memory handed out, and its record. The record lives on the CPU.
struct CudaBlock {
  void* data;
  size_t bytes;  // of the size class
  void* stream;
  CachingAllocator* owner;
  CudaBlock* next;
  MemoryPool* pool;  // it belongs to; null: to everybody
};

/// A stream-ordered cache of device memory: a freed block is handed out again at once, without waiting for the device,
/// but only for work on the stream it was used on, whose order makes that safe. Whoever lets another stream read a
/// tensor keeps the tensor alive until that stream is done (event.h).
/// A captured graph (graph.h) has a pool of its own: its blocks are handed out during the capture only, so that nobody
/// else writes to what a replay uses; in the statistics they count like all others.
/// Size classes: eight to a doubling from 512 bytes up, so at most an eighth of a block is wasted. Thread safe.
class CachingAllocator {
 public:
  /// `name` of the device in messages: "cuda:0".
  CachingAllocator(std::string name, MemorySource source);
  ~CachingAllocator();
  CachingAllocator(const CachingAllocator&) = delete;
  CachingAllocator& operator=(const CachingAllocator&) = delete;

  /// At least `bytes` bytes. When the source has none, or the cap is met, everything cached is given back first.
  /// Throws MemoryError naming the bytes asked for, in use, cached and the cap.
  CudaBlock* allocate(size_t bytes, void* stream);
  void free(CudaBlock* block);

  /// The most bytes to hold, cached ones included; 0: no limit.
  void set_cap(int64_t bytes);
  AllocatorStatistics statistics() const;
  void reset_peak();
  void release_cached();

  /// A pool for one graph; given up by retire_pool: its free blocks go back to the source, the others when they are
  /// freed.
  MemoryPool* make_pool();
  void retire_pool(MemoryPool* pool);
  /// Until close_pool, `pool` serves the requests for `stream` and keeps every block that is freed. One at a time.
  void open_pool(MemoryPool* pool, void* stream);
  void close_pool();
  int64_t pool_bytes(const MemoryPool* pool) const;

  /// What a request of so many bytes takes.
  static size_t rounded(size_t bytes);

 private:
  void release_all_cached();
  void* take(size_t size, bool may_release);
  void give(CudaBlock* block);
  CudaBlock*& cache_of(MemoryPool* pool, void* stream, size_t size);

  const std::string name_;
  const MemorySource source_;
  mutable std::mutex mutex_;
  std::map<std::pair<void*, size_t>, CudaBlock*> cached_;  // by stream and size
  AllocatorStatistics statistics_;
  int64_t cap_ = 0;
  MemoryPool* open_pool_ = nullptr;
  void* open_stream_ = nullptr;
};

}  // namespace plumb
