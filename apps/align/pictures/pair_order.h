#pragma once

#include <optional>
#include <vector>

#include "align/data/preference_dataset.h"
#include "apps/common/epoch_order.h"

namespace plumb {

/// Which pairs each batch holds: all of them in a fresh order every epoch. Of samples judged one by one each is a
/// wanted one with the probability given, else an unwanted one, and each kind goes round in orders of its own. A pure
/// function of key and batch.
class PairOrder {
 public:
  /// Throws UsageError for a share that asks for samples of a kind that the data lack.
  PairOrder(const PreferenceDataset& data, int64_t batch, double wanted_share, const RandomKey& key);

  int64_t count() const { return count_; }
  std::vector<int64_t> at(int64_t batch);
  /// As many, of the wanted alone where samples are judged one by one and there are wanted ones.
  std::vector<int64_t> winners(int64_t batch);

 private:
  /// Samples of one kind, and their order.
  struct Kind {
    std::vector<int64_t> samples;
    std::optional<EpochOrder> order = {};

    std::vector<int64_t> at(int64_t batch);
  };

  int64_t count_, batch_;
  double wanted_share_;
  RandomKey key_;
  std::optional<EpochOrder> pairs_ = {};  // none: judged one by one
  Kind wanted_, unwanted_;
};

}  // namespace plumb
