#pragma once

#include <memory>

#include "align/preference_trainer.h"
#include "apps/align/fine_tuned.h"
#include "apps/align/policy.h"
#include "diffusion/point_model.h"

namespace plumb {

/// What a method takes its targets from, and which weights it trains.
struct AlignModelOptions {
  PolicyOptions policy = {};
  Gaussians2dOptions world = {};  ///< of the oracle; its classes are the model's
  bool use_lora = false;
  AdapterOptions adapter{.rank = 4};
  bool moving_reference = false;
  Device device = kCpu;
  DType dtype = DType::f32;

  /// With an adapter in the layers that `targets` names (FineTuneOptions).
  FineTuneOptions tuning(std::vector<std::string> targets = {}) const {
    return {use_lora, adapter, std::move(targets), moving_reference, device, dtype};
  }
};

/// Student, initial model, moving reference and policy pair of a fine-tuning run of a point model.
class AlignModels {
 public:
  /// `pairs` train the adapters of a data-driven policy pair. Throws ValueError for an unknown policy, UsageError for
  /// an oracle of a model that is not of 2D points with classes.
  AlignModels(PointModel model, const AlignModelOptions& options, const PreferencePairs& pairs, const RandomKey& key);

  Denoiser& student() { return tuned_.student(); }
  Denoiser& initial() { return tuned_.initial(); }
  PolicyPair& policy() { return *policy_; }
  const NoiseSchedule& schedule() const { return schedule_; }
  Prediction prediction() const { return prediction_; }
  const PointDenoiserOptions& network() const { return network_; }
  bool use_lora() const { return tuned_.use_lora(); }

  ParameterList trained() { return tuned_.trained(); }
  Module& kept() { return tuned_.kept(); }
  MovingReference moving() { return tuned_.moving(); }
  /// As FineTuned::take().
  PointModel take_model(bool merged);

 private:
  NoiseScheduleOptions schedule_options_;
  NoiseSchedule schedule_;
  Prediction prediction_;
  PointDenoiserOptions network_;
  Gaussians2d world_;
  std::unique_ptr<PolicyPair> policy_;  // made before there are adapters: a data-driven pair clones the network
  FineTuned tuned_;
};

}  // namespace plumb
