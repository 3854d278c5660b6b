#include "align/timestep_bins.h"

#include <cmath>

#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

std::vector<double> host(const Tensor& x) { return x.defined() ? x.to_vector<double>() : std::vector<double>(); }

std::optional<double> ratio(double sum, int64_t count) {
  if (count == 0) return std::nullopt;
  return sum / double(count);
}

}  // namespace

TimestepBins::TimestepBins(int64_t num_train_timesteps, int64_t bins) : num_train_timesteps_(num_train_timesteps) {
  require<ValueError>(bins >= 1 && bins <= num_train_timesteps, "timestep bins: there must be between 1 and {} ({})",
                      num_train_timesteps, bins);
  sums_.resize(size_t(bins));
}

TimestepBins::Sums& TimestepBins::at(int64_t t) {
  require<ValueError>(t >= 0 && t < num_train_timesteps_, "timestep bins: t must be in [0, {}) ({})",
                      num_train_timesteps_, t);
  return sums_[size_t(t * int64_t(sums_.size()) / num_train_timesteps_)];
}

void TimestepBins::add(const ObjectiveOutput& output, const Tensor& timesteps) {
  const std::vector<double> error = host(output.error), gain = host(output.gain), logit = host(output.logit),
                            label = host(output.labels);
  const std::vector<int64_t> t = timesteps.to_vector<int64_t>();
  require<ShapeError>(t.size() == error.size(), "timestep bins: timesteps must be one a sample; {} for {} samples",
                      t.size(), error.size());
  for (size_t i = 0; i < error.size(); ++i) {
    Sums& sums = at(t[i]);
    sums.error += error[i], ++sums.samples;
    if (!gain.empty()) sums.reward += std::abs(gain[i]), ++sums.rewards;
    if (!label.empty()) sums.right += label[i] * gain[i] < 0, ++sums.judged;
  }
  if (!label.empty() || logit.empty()) return;
  for (size_t i = 0; i < logit.size(); ++i) {
    Sums& sums = at(t[i]);
    sums.right += gain.empty() ? logit[i] > 0 : gain[i] < gain[i + logit.size()];
    ++sums.judged;
  }
}

std::vector<TimestepBin> TimestepBins::bins() const {
  const auto border = [&](size_t i) {
    const int64_t count = int64_t(sums_.size());
    return (int64_t(i) * num_train_timesteps_ + count - 1) / count;
  };
  std::vector<TimestepBin> bins;
  for (size_t i = 0; i < sums_.size(); ++i)
    bins.push_back({.begin = border(i),
                    .end = border(i + 1),
                    .samples = sums_[i].samples,
                    .error = ratio(sums_[i].error, sums_[i].samples),
                    .reward_scale = ratio(sums_[i].reward, sums_[i].rewards),
                    .accuracy = ratio(sums_[i].right, sums_[i].judged)});
  return bins;
}

void TimestepBins::reset() { sums_.assign(sums_.size(), {}); }

}  // namespace plumb
