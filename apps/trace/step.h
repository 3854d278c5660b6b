#pragma once

#include <memory>
#include <string>

#include "align/objective.h"
#include "apps/common/flag.h"
#include "apps/trace/networks.h"
#include "diffusion/schedule/noise_schedule.h"
#include "engine/random/random_key.h"
#include "nn/optim/adam.h"

namespace plumb::trace {

/// How much of a training step is run.
enum class Part { forward, backward, step };

struct StepSettings {
  std::string network = "toy";
  NetworkSizes sizes = {};
  std::string loss = "denoising";  ///< or an objective
  KeyValues set = {};              ///< its options
  Part part = Part::step;
  int64_t batch = 0;  ///< samples, or pairs of an objective; 0: the network's own
  double learning_rate = 1e-4;
  int64_t seed = 0;
  Device device = kCpu;
};

/// "denoising" and the objectives. Throws UsageError for anything else.
void check_loss(const StepSettings& settings);

/// A network and its optimiser doing training steps on random data: what is measured does not depend on values, and a
/// step is a function of seed and number, so that steps can be run again.
class TracedStep {
 public:
  explicit TracedStep(const StepSettings& settings);

  /// One step, in the ranges "data", "forward", "backward" and "optimizer". Returns whether loss and gradients are
  /// finite.
  bool run(int64_t step);

  int64_t batch() const { return batch_; }
  int64_t parameter_count();
  double loss() const { return loss_; }
  /// Of the optimiser, which a traced forward pass has none of.
  ParameterArena& arena() { return optimizer_->arena(); }

 private:
  struct Batch;
  Batch draw(const RandomKey& key) const;
  Variable loss_of(const Batch& batch);

  StepSettings settings_;
  Generator generator_;
  TracedNetwork network_;
  int64_t batch_;
  std::unique_ptr<Objective> objective_;  // null: the denoising loss
  NoiseSchedule schedule_;
  std::unique_ptr<AdamW> optimizer_;  // null: the forward pass alone
  double loss_ = 0;
};

}  // namespace plumb::trace
