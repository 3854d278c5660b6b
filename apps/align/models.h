#pragma once

#include <memory>

#include "align/preference_trainer.h"
#include "apps/align/adapter_view.h"
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
  Device device = kCpu;      ///< where the networks live
  DType dtype = DType::f32;  ///< what they compute in; weights that are trained or saved keep f32 masters
};

/// Names of the adapters of a LoRA run.
inline constexpr const char* kStudentAdapter = "student";
inline constexpr const char* kReferenceAdapter = "reference";

/// Student, initial model, moving reference and policy pair of a fine-tuning run of a point model. Fully fine-tuned,
/// the student is a copy of the model; with LoRA all of them are views of one network.
class AlignModels {
 public:
  /// `pairs` train the adapters of a data-driven policy pair. Throws ValueError for an unknown policy, UsageError for
  /// an oracle of a model that is not of 2D points with classes.
  AlignModels(PointModel model, const AlignModelOptions& options, const PreferencePairs& pairs, const RandomKey& key);

  Denoiser& student() { return *student_; }
  Denoiser& initial() { return *initial_; }
  PolicyPair& policy() { return *policy_; }
  const NoiseSchedule& schedule() const { return schedule_; }
  Prediction prediction() const { return prediction_; }
  const PointDenoiserOptions& network() const { return network_->options(); }
  bool use_lora() const { return use_lora_; }

  /// What an optimiser takes.
  ParameterList trained();
  /// What a checkpoint holds: the student, with LoRA the network and its adapters.
  Module& kept() { return use_lora_ ? static_cast<Module&>(*network_) : *student_; }
  MovingReference moving();
  /// The model as it is now, in f32 on the CPU: the student, with LoRA the network, its adapter merged into the weights
  /// when `merged` and left out when not. Leaves this object without a network.
  PointModel take_model(bool merged);

 private:
  NoiseScheduleOptions schedule_options_;
  NoiseSchedule schedule_;
  Prediction prediction_;
  std::unique_ptr<PointDenoiser> network_;  // the initial model's weights
  bool use_lora_;
  Gaussians2d world_;
  std::unique_ptr<Denoiser> student_, view_, moving_;
  Denoiser* initial_ = nullptr;
  std::unique_ptr<PolicyPair> policy_;
};

}  // namespace plumb
