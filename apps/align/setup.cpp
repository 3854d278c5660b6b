#include "apps/align/setup.h"

#include "align/downgrade/downgrade.h"
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
  return options;
}

}  // namespace

AlignSetup::AlignSetup(const AlignSettings& settings, PointModel model, PreferencePairs preference_pairs,
                       const RandomKey& key)
    : pairs(checked(std::move(preference_pairs), settings.models.policy.name)),
      models(std::move(model), settings.models, pairs, key),
      objective_settings(
          plumb::objective_settings(settings.objective, settings.models.policy.name, models.network().dimensions)),
      objective(make_objective(settings.objective.name, objective_settings)),
      optimizer(models.trained(), settings.optimizer.adam),
      trainer({.student = &models.student(),
               .initial = &models.initial(),
               .objective = objective.get(),
               .policy = &models.policy(),
               .schedule = &models.schedule(),
               .optimizer = &optimizer,
               .moving = models.moving()},
              trainer_options(settings, models, pairs.winners)) {}

}  // namespace plumb
