#include "align/preference.h"

#include <unordered_set>
#include <vector>

#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "engine/require.h"

namespace plumb {
namespace {

Tensor take_rows(const Tensor& rows, const Tensor& index) {
  return rows.defined() ? index_select(rows, 0, index.to(rows.device())) : rows;
}

}  // namespace

Condition take(const Condition& condition, const Tensor& index) {
  return {take_rows(condition.labels, index), take_rows(condition.context, index), take_rows(condition.pooled, index),
          take_rows(condition.time_ids, index)};
}

PreferencePairs PreferencePairs::take(const Tensor& index) const {
  return {take_rows(winners, index), take_rows(losers, index), plumb::take(condition, index),
          plumb::take(negative, index), take_rows(labels, index)};
}

PreferencePairs PreferencePairs::to(Device device) const {
  const auto moved = [device](const Tensor& rows) { return rows.defined() ? rows.to(device) : rows; };
  return {winners.to(device), moved(losers), condition.to(device), negative.to(device), moved(labels)};
}

PreferencePairs one_pair_a_prompt(const PreferencePairs& pairs) {
  require<ValueError>(pairs.condition.labels.defined(), "one_pair_a_prompt: the pairs have no class labels");
  std::vector<int64_t> first;
  std::unordered_set<int64_t> seen;
  const std::vector<int64_t> labels = pairs.condition.labels.to_vector<int64_t>();
  for (size_t i = 0; i < labels.size(); ++i)
    if (seen.insert(labels[i]).second) first.push_back(int64_t(i));
  return pairs.take(from_vector(first, {int64_t(first.size())}));
}

Tensor draw_other_prompts(const Tensor& labels, const RandomKey& key) {
  const std::vector<int64_t> label = labels.to_vector<int64_t>();
  const int64_t count = labels.numel();
  const std::vector<double> draw = rand(key, {count, 1}, DType::f64).to_vector<double>();
  Tensor other = empty({count}, DType::i64);
  for (int64_t i = 0; i < count; ++i) {
    std::vector<int64_t> candidates;
    for (int64_t j = 0; j < count; ++j)
      if (label[size_t(j)] != label[size_t(i)]) candidates.push_back(j);
    require<ValueError>(!candidates.empty(), "pairs: another prompt's winner needs at least two prompts");
    other.mutable_data<int64_t>()[i] = candidates[size_t(draw[size_t(i)] * double(candidates.size()))];
  }
  return other;
}

PreferencePairs rand_positive_pairs(const PreferencePairs& pairs, const Tensor& other) {
  return {pairs.winners, take_rows(pairs.winners, other), pairs.condition, take(pairs.condition, other)};
}

PreferencePairs not_paired_pairs(const PreferencePairs& pairs, const Tensor& other) {
  return {pairs.winners, take_rows(pairs.winners, other), pairs.condition, pairs.negative};
}

}  // namespace plumb
