#include "apps/pairs/make_pairs.h"

#include <algorithm>

#include "engine/ops/random/random.h"
#include "engine/require.h"

namespace plumb {

void add_pair_label_flags(Flags& flags, PairSettings& s) {
  flags.add("--pairs_per_class", s.pairs_per_class, "preference pairs a class", between(1, 1'000'000));
  flags
      .add("--negative", s.negative, "c-: the neighbouring classes in turn, or any other",
           one_of({"neighbor", "random"}))
      .advanced();
}

void add_pair_flags(Flags& flags, PairSettings& s) {
  add_pair_label_flags(flags, s);
  flags.add("--num_inference_steps", s.sampler.steps, "steps of DDIM for pairs of the model", at_least(1)).advanced();
  flags
      .add_choice("--timestep_spacing", s.sampler.spacing,
                  {{"leading", TimestepSpacing::leading},
                   {"linspace", TimestepSpacing::linspace},
                   {"trailing", TimestepSpacing::trailing}},
                  "which timesteps DDIM visits")
      .advanced();
}

PairLabels draw_pair_labels(int64_t classes, const PairSettings& settings, const RandomKey& key) {
  require<ValueError>(classes >= 2, "pairs: a degraded class needs at least two classes ({})", classes);
  require<ValueError>(settings.pairs_per_class <= 10'000'000 / classes,
                      "pairs: {} classes with {} pairs each are more than 10 million", classes,
                      settings.pairs_per_class);
  PairLabels labels{labels_by_class(classes, settings.pairs_per_class), {}};
  const int64_t count = labels.positive.numel();
  const bool random = settings.negative == "random";
  const Tensor shift = random ? randint(key.fork("negative"), 1, classes, {count}) : Tensor();
  labels.negative = empty({count}, DType::i64);
  for (int64_t i = 0; i < count; ++i) {
    const bool after = i % settings.pairs_per_class % 2 == 0;
    const int64_t step = random ? shift.data<int64_t>()[i] : (after ? 1 : classes - 1);
    labels.negative.mutable_data<int64_t>()[i] = (labels.positive.data<int64_t>()[i] + step) % classes;
  }
  return labels;
}

PreferencePairs world_pairs(const PairSettings& settings, const RandomKey& key) {
  const Gaussians2d world(settings.world);
  const PairLabels labels = draw_pair_labels(world.classes(), settings, key);
  return {.winners = world.sample_clean(labels.positive, key.fork("winners")),
          .losers = world.sample_clean(labels.negative, key.fork("losers")),
          .condition = {.labels = labels.positive},
          .negative = {.labels = labels.negative}};
}

PreferencePairs model_pairs(PointModel& model, const PairSettings& settings, const RandomKey& key) {
  const PointDenoiserOptions& network = model.network->options();
  require<UsageError>(network.classes >= 2,
                      "pairs: a model without classes has no c and c- ({} classes); give a model with at least two",
                      network.classes);
  const PairLabels labels = draw_pair_labels(network.classes, settings, key);
  const Condition positive{.labels = labels.positive}, negative{.labels = labels.negative};
  const Tensor noise = randn(key.fork("initial noise"), {labels.positive.numel(), network.dimensions});
  SamplerOptions options = settings.sampler;
  options.prediction = model.prediction;
  const NoiseSchedule schedule(model.schedule);
  return {.winners = sample(*model.network, schedule, {.noise = noise, .condition = positive}, options),
          .losers = sample(*model.network, schedule, {.noise = noise, .condition = negative}, options),
          .condition = positive,
          .negative = negative};
}

}  // namespace plumb
