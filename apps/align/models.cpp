#include "apps/align/models.h"

#include <algorithm>

#include "apps/common/exit_codes.h"
#include "engine/require.h"

namespace plumb {
namespace {

Gaussians2d world_of(Gaussians2dOptions world, const PointDenoiserOptions& network) {
  world.classes = std::max<int64_t>(network.classes, 2);
  return Gaussians2d(world);
}

void check_oracle(const PointDenoiserOptions& network, Prediction prediction, const AlignModelOptions& options) {
  require<UsageError>(options.policy.name != "oracle" ||
                          (network.dimensions == 2 && network.classes >= 2 && prediction == Prediction::epsilon),
                      "policy oracle: knows the scores of the 2D world alone (model of {} dimensions, {} classes, "
                      "predicting {}); choose another --policy",
                      network.dimensions, network.classes, name_of(prediction));
}

std::unique_ptr<PolicyPair> policy_for(PointModel& model, const AlignModelOptions& options, const Gaussians2d& world,
                                       const NoiseSchedule& schedule, const PreferencePairs& pairs,
                                       const RandomKey& key) {
  check_oracle(model.network->options(), model.prediction, options);
  place(*model.network, options.tuning());
  PolicyOptions policy = options.policy;
  policy.data_driven.prediction = model.prediction;
  return make_policy(policy, {*model.network, world, schedule, pairs, key.fork("data-driven pair")});
}

}  // namespace

AlignModels::AlignModels(PointModel model, const AlignModelOptions& options, const PreferencePairs& pairs,
                         const RandomKey& key)
    : schedule_options_(model.schedule),
      schedule_(model.schedule),
      prediction_(model.prediction),
      network_(model.network->options()),
      world_(world_of(options.world, network_)),
      policy_(policy_for(model, options, world_, schedule_, pairs, key)),
      tuned_(std::move(model.network), options.tuning(), key) {}

PointModel AlignModels::take_model(bool merged) {
  std::unique_ptr<PointDenoiser> network(static_cast<PointDenoiser*>(tuned_.take(merged).release()));
  return {std::move(network), schedule_options_, prediction_};
}

}  // namespace plumb
