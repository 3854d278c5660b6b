#include "engine/packed_cache.h"

#include <atomic>
#include <list>
#include <mutex>
#include <unordered_map>

#include "engine/require.h"

namespace plumb {
namespace {

// Of those that were met once: a few dozen bytes each.
constexpr size_t kMostEntries = 4096;
constexpr size_t kBuckets = 4096;

/// Entries by hash of their storage: what a dying storage looks at, without a lock.
constinit std::atomic<uint16_t> in_bucket[kBuckets] = {};

std::atomic<uint16_t>& bucket_of(const Storage* storage) {
  return in_bucket[size_t((reinterpret_cast<uintptr_t>(storage) * 0x9e3779b97f4a7c15u) >> 40) % kBuckets];
}

thread_local bool paused = false;

/// Which elements, read how. The version is not part of it: an entry has one.
struct Key {
  const Storage* storage;
  int64_t offset, k, n, ld;
  bool transposed;
  bool operator==(const Key&) const = default;
};

struct Entry {
  Key key;
  uint32_t version;
  PackedMatrix matrix;  // undefined: met once
};
using Entries = std::list<Entry>;

class Cache {
 public:
  PackedMatrix find(const Key& key, uint32_t version, const MatrixView<float>& weight) {
    {
      Entries dead;
      const std::lock_guard lock(mutex_);
      if (key.k * key.n * int64_t(sizeof(float)) > limit_) return {};
      const auto known = position_of(key);
      if (known == index_.end() || known->second->version != version) {
        if (known != index_.end()) drop(known, dead);
        add({key, version, {}}, dead);
        return {};
      }
      entries_.splice(entries_.begin(), entries_, known->second);
      if (known->second->matrix.defined()) {
        ++hits_;
        return known->second->matrix;
      }
    }
    // Outside the lock, because it runs on the pool. Another thread may do the same: the later one stays.
    PackedMatrix matrix(weight, key.k, key.n);
    Entries dead;
    const std::lock_guard lock(mutex_);
    if (const auto known = position_of(key); known != index_.end()) drop(known, dead);
    ++packs_;
    add({key, version, matrix}, dead);
    return matrix;
  }

  void forget(const Storage* storage) {
    Entries dead;
    const std::lock_guard lock(mutex_);
    for (auto known = index_.find(storage); known != index_.end(); known = index_.find(storage)) drop(known, dead);
  }

  void set_limit(int64_t bytes) {
    Entries dead;
    const std::lock_guard lock(mutex_);
    limit_ = bytes;
    shrink(dead);
  }

  void clear() {
    Entries dead;
    const std::lock_guard lock(mutex_);
    while (!index_.empty()) drop(index_.begin(), dead);
  }

  PackedCacheStatistics statistics() {
    const std::lock_guard lock(mutex_);
    PackedCacheStatistics result{.bytes = bytes_, .hits = hits_, .packs = packs_};
    for (const Entry& entry : entries_) result.matrices += entry.matrix.defined() ? 1 : 0;
    return result;
  }

 private:
  using Index = std::unordered_multimap<const Storage*, Entries::iterator>;

  Index::iterator position_of(const Key& key) {
    auto [at, end] = index_.equal_range(key.storage);
    while (at != end && !(at->second->key == key)) ++at;
    return at == end ? index_.end() : at;
  }

  void add(Entry entry, Entries& dead) {
    bytes_ += bytes_of(entry);
    bucket_of(entry.key.storage).fetch_add(1, std::memory_order_relaxed);
    entries_.push_front(std::move(entry));
    index_.emplace(entries_.front().key.storage, entries_.begin());
    shrink(dead);
  }

  /// What leaves is destroyed when the lock is gone (the callers' `dead` lives longer than it): its own storage dies
  /// with it and asks forget().
  void drop(Index::iterator known, Entries& dead) {
    const Entries::iterator entry = known->second;
    bytes_ -= bytes_of(*entry);
    bucket_of(entry->key.storage).fetch_sub(1, std::memory_order_relaxed);
    index_.erase(known);
    dead.splice(dead.begin(), entries_, entry);
  }

  void shrink(Entries& dead) {
    while (!entries_.empty() && (bytes_ > limit_ || entries_.size() > kMostEntries))
      drop(position_of(entries_.back().key), dead);
  }

  static int64_t bytes_of(const Entry& entry) { return entry.matrix.defined() ? entry.matrix.bytes() : 0; }

  std::mutex mutex_;
  Entries entries_;  // the last used first
  Index index_;      // an arena has many weights
  int64_t limit_ = kDefaultPackedCacheBytes, bytes_ = 0, hits_ = 0, packs_ = 0;
};

/// Never destroyed: storages die after static objects do.
Cache& cache() {
  static Cache* const instance = new Cache;
  return *instance;
}

}  // namespace

PackedCachePause::PackedCachePause(bool pause) : before_(paused) { paused = before_ || pause; }
PackedCachePause::~PackedCachePause() { paused = before_; }

PackedMatrix packed_weight(const Tensor& owner, const MatrixView<float>& weight, int64_t k, int64_t n) {
  if (paused) return {};
  return cache().find({owner.storage().get(), owner.offset(), k, n, weight.ld, weight.transposed}, owner.version(),
                      weight);
}

void set_packed_cache_limit(int64_t bytes) {
  require<ValueError>(bytes >= 0, "set_packed_cache_limit: bytes must not be negative ({})", bytes);
  cache().set_limit(bytes);
}

PackedCacheStatistics packed_cache_statistics() { return cache().statistics(); }
void clear_packed_cache() { cache().clear(); }

void detail::forget_packed(const Storage* storage) {
  if (bucket_of(storage).load(std::memory_order_relaxed) != 0) [[unlikely]]
    cache().forget(storage);
}

}  // namespace plumb
