#include "apps/align/setup.h"

#include "align/downgrade/downgrade.h"
#include "align/perturb_init.h"
#include "apps/common/pair_file.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// What the policy pair reads must be in the pairs.
PreferencePairs checked(PreferencePairs pairs, const std::string& policy) {
  const bool reads_negative = policy == "training_free" || policy == "oracle";
  require<UsageError>(!reads_negative || pairs.negative.labels.defined(),
                      "align: --policy {} reads c-, which the pairs do not have (tensor \"negative\"); add it, or "
                      "choose --policy forward",
                      policy);
  return pairs;
}

PreferenceTrainerOptions trainer_options(const AlignSettings& settings, const AlignModels& models,
                                         const Tensor& winners) {
  PreferenceTrainerOptions options = settings.trainer;
  options.prediction = models.prediction();
  if (settings.objective.name == "self_dpo") options.transform = Downgrade({.data_set = winners});
  if (options.random_conditions.kind == RandomConditionKind::none) return options;
  const int64_t classes = models.network().classes;
  require<UsageError>(classes >= 2, "align: --random_condition replaces classes, and the model has {}; leave it out",
                      classes);
  // The list of prompts: every class with either neighbour.
  const PairLabels labels = draw_pair_labels(classes, {.pairs_per_class = 2}, RandomKey{});
  options.random_conditions.prompts.labels = labels.positive.to(settings.models.device);
  options.random_conditions.negatives.labels = labels.negative.to(settings.models.device);
  return options;
}

}  // namespace

PreferencePairs pairs_for(AlignSettings& settings, PointModel& model) {
  const PointDenoiserOptions& network = model.network->options();
  if (!settings.data.empty()) return load_pairs(settings.data, network);
  const RandomKey key = RandomKey{.seed = uint64_t(settings.global.seed)}.fork("pairs");
  if (settings.pair_source == "model") {
    to_device(*model.network, settings.models.device);
    return model_pairs(model, settings.pairs, key);
  }
  require<UsageError>(network.dimensions == 2 && network.classes >= 2,
                      "align: clean pairs are of the 2D world (model of {} dimensions, {} classes); give --data or "
                      "--pair_source model",
                      network.dimensions, network.classes);
  settings.pairs.world.classes = network.classes;
  return world_pairs(settings.pairs, key);
}

AlignSetup::AlignSetup(const AlignSettings& settings, PointModel model, PreferencePairs preference_pairs,
                       const RandomKey& key)
    : pairs(checked(std::move(preference_pairs), settings.models.policy.name).to(settings.models.device)),
      models(std::move(model), settings.models, pairs, key),
      objective_settings(
          plumb::objective_settings(settings.objective, settings.models.policy.name, models.network().dimensions)),
      objective(make_objective(settings.objective.name, objective_settings)),
      optimizer(make_optimizer(models.trained(), settings.optimizer)),
      trainer({.student = &models.student(),
               .initial = &models.initial(),
               .objective = objective.get(),
               .policy = &models.policy(),
               .schedule = &models.schedule(),
               .optimizer = optimizer.get(),
               .moving = models.moving()},
              trainer_options(settings, models, pairs.winners)) {
  if (settings.perturb_init > 0) perturb_weights(models.trained(), settings.perturb_init, key.fork("perturb init"));
}

}  // namespace plumb
