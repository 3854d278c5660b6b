#pragma once

#include <memory>

#include "align/timestep_bins.h"
#include "apps/align/setup.h"
#include "apps/common/epoch_order.h"
#include "apps/common/step_graph.h"
#include "apps/common/training_run.h"

namespace plumb {

/// The run of `plumb align`: preference fine-tuning of a point model.
class Aligner final : public TrainingRun {
 public:
  /// `settings`, resolved, must outlive it. Throws UsageError or ValueError for settings, model and pairs that do not
  /// fit together.
  Aligner(const AlignSettings& settings, Json identity, PointModel model, PreferencePairs pairs);

 private:
  Step compute(int64_t step) override;
  void apply(int64_t step, Step& done) override;
  std::optional<Step> whole_step(int64_t step) override;
  TrainingState state() override;
  void restore_more(const StateDict& more) override { setup_.trainer.load_state_dict(more); }
  void finish(const OutputDir& out, double seconds) override;

  bool draws_samples(int64_t step) const;
  /// Begins a step: notes the time and writes what the host decides of it to where gradients() reads it.
  void go_to(int64_t step);
  /// Of the pairs gone to, with the draws of `step`.
  PreferenceStepResult gradients(int64_t step);
  /// What result_ tells, read once.
  Step report(int64_t step);
  /// What the log also says of a step that was applied.
  void add_to(NamedValues& log, int64_t step);

  /// Error of the initial model on winners against the forward process' target, at the timesteps that are trained.
  double measure_reference_error();
  /// Standard deviation of samples, averaged over classes. See HealthSample.
  double measure_spread(Denoiser& model);

  /// Mean |implicit reward| and accuracy of this step's samples in 10 equal intervals of t, 0 the least noisy. Of one
  /// step alone, so that they do not depend on where a run was interrupted.
  void add_bins(NamedValues& log) const;

  const AlignSettings& settings_;
  RandomKey key_;
  AlignSetup setup_;
  EpochOrder order_;
  Tensor index_;  // i64 [effective batch], on the pairs' device
  StepGraph<PreferenceStepResult> graph_;
  double reference_error_ = 0, reference_spread_ = 0;
  double began_ = 0;  // seconds, of the step under way
  PreferenceStepResult result_;
  StepStatistics last_;
};

/// Mean over classes of the standard deviation over all axes. samples: [N, D] · labels: i64 [N] or undefined (one
/// class). Classes of fewer than two samples are left out.
double class_spread(const Tensor& samples, const Tensor& labels);

}  // namespace plumb
