#pragma once

#include <cstdint>

#include "engine/packed_matrix.h"

namespace plumb {

/// Weights that were packed for the matrix product and are kept for the next call. A weight is packed into the cache
/// the second time it is met unchanged, so one that changes every step is not. Least recently used ones leave when
/// the limit is reached; those of a storage leave when it dies or is written to (its version tells). The memory is the
/// allocator's and shows in its statistics.
struct PackedCacheStatistics {
  int64_t matrices = 0;
  int64_t bytes = 0;  ///< of the packed matrices
  int64_t hits = 0;   ///< since the program started
  int64_t packs = 0;
};

inline constexpr int64_t kDefaultPackedCacheBytes = int64_t(256) << 20;

/// `weight`, a view of `owner`'s elements, as [k, n]; undefined when it is not (yet) worth packing, or larger than the
/// limit: multiply with the view then. Results have the same bits either way. Safe to call from any thread.
PackedMatrix packed_weight(const Tensor& owner, const MatrixView<float>& weight, int64_t k, int64_t n);

/// Most bytes that packed weights may hold; 0 switches the cache off. Throws ValueError when negative.
void set_packed_cache_limit(int64_t bytes);
PackedCacheStatistics packed_cache_statistics();
/// Forgets everything.
void clear_packed_cache();

/// While one is alive on this thread with `pause`, packed_weight gives nothing and remembers nothing. For weights in
/// training: a checkpoint that computes a block again meets them twice a step, and would keep a copy of each.
class PackedCachePause {
 public:
  explicit PackedCachePause(bool pause);
  ~PackedCachePause();
  PackedCachePause(const PackedCachePause&) = delete;
  PackedCachePause& operator=(const PackedCachePause&) = delete;

 private:
  bool before_;
};

namespace detail {
/// Called for every storage that dies; costs a load unless the cache knows one with the same hash.
void forget_packed(const Storage* storage);
}  // namespace detail

}  // namespace plumb
