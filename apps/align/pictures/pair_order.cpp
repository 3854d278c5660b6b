#include "apps/align/pictures/pair_order.h"

#include "apps/common/exit_codes.h"
#include "engine/random/fills.h"
#include "engine/require.h"

namespace plumb {

std::vector<int64_t> PairOrder::Kind::at(int64_t batch) {
  std::vector<int64_t> found = order->at(batch).to_vector<int64_t>();
  for (int64_t& place : found) place = samples[size_t(place)];
  return found;
}

PairOrder::PairOrder(const PreferenceDataset& data, int64_t batch, double wanted_share, const RandomKey& key)
    : count_(int64_t(data.samples.size())), batch_(batch), wanted_share_(wanted_share), key_(key) {
  if (!data.is_unpaired()) {
    pairs_.emplace(count_, batch, key);
    return;
  }
  for (int64_t i = 0; i < count_; ++i) (data.samples[size_t(i)].label > 0 ? wanted_ : unwanted_).samples.push_back(i);
  require<UsageError>(!wanted_.samples.empty() || wanted_share == 0,
                      "align: --wanted_share {}, and the data hold no sample that is liked; give 0", wanted_share);
  require<UsageError>(!unwanted_.samples.empty() || wanted_share == 1,
                      "align: --wanted_share {}, and the data hold no sample that is not liked; give 1", wanted_share);
  if (!wanted_.samples.empty()) wanted_.order.emplace(int64_t(wanted_.samples.size()), batch, key.fork("wanted order"));
  if (!unwanted_.samples.empty())
    unwanted_.order.emplace(int64_t(unwanted_.samples.size()), batch, key.fork("unwanted order"));
}

std::vector<int64_t> PairOrder::at(int64_t batch) {
  if (pairs_) return pairs_->at(batch).to_vector<int64_t>();
  std::vector<float> chance(static_cast<size_t>(batch_));
  fill_uniform(key_.fork("wanted").at_step(uint64_t(batch)), {batch_, 1}, chance.data());
  const std::vector<int64_t> wanted = wanted_.order ? wanted_.at(batch) : std::vector<int64_t>(),
                             unwanted = unwanted_.order ? unwanted_.at(batch) : std::vector<int64_t>();
  std::vector<int64_t> drawn;
  for (size_t i = 0; i < chance.size(); ++i)
    drawn.push_back(double(chance[i]) < wanted_share_ ? wanted[i] : unwanted[i]);
  return drawn;
}

std::vector<int64_t> PairOrder::winners(int64_t batch) {
  return pairs_ || !wanted_.order ? at(batch) : wanted_.at(batch);
}

}  // namespace plumb
