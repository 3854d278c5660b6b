#include "apps/toy2d/pairs.h"

#include "engine/ops/random/random.h"

namespace plumb::toy2d {
namespace {

struct PairLabels {
  Tensor winner, loser;  // i64 [K * N]
};

PairLabels pair_labels(const Gaussians2d& world, int64_t pairs_per_class) {
  PairLabels labels{labels_by_class(world.classes(), pairs_per_class),
                    empty({world.classes() * pairs_per_class}, DType::i64)};
  for (int64_t i = 0; i < labels.winner.numel(); ++i)
    labels.loser.mutable_data<int64_t>()[i] = world.neighbor(labels.winner.data<int64_t>()[i], i % pairs_per_class % 2);
  return labels;
}

}  // namespace

PreferencePairs clean_pairs(const Gaussians2d& world, int64_t pairs_per_class, const RandomKey& key) {
  const PairLabels labels = pair_labels(world, pairs_per_class);
  return {.winners = world.sample_clean(labels.winner, key.fork("winners")),
          .losers = world.sample_clean(labels.loser, key.fork("losers")),
          .condition = {.labels = labels.winner},
          .negative = {.labels = labels.loser}};
}

PreferencePairs reference_pairs(const Gaussians2d& world, int64_t pairs_per_class, PointDenoiser& reference,
                                const NoiseSchedule& schedule, const RandomKey& key) {
  const PairLabels labels = pair_labels(world, pairs_per_class);
  const Condition positive{.labels = labels.winner}, negative{.labels = labels.loser};
  const Tensor noise = randn(key.fork("initial noise"), {labels.winner.numel(), 2});
  const SamplerOptions ddim25{.steps = std::min<int64_t>(25, schedule.num_train_timesteps())};
  return {.winners = sample(reference, schedule, {.noise = noise, .condition = positive}, ddim25),
          .losers = sample(reference, schedule, {.noise = noise, .condition = negative}, ddim25),
          .condition = positive,
          .negative = negative};
}

}  // namespace plumb::toy2d
