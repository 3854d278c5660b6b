#pragma once

#include "apps/align/preference_run.h"
#include "apps/align/setup.h"
#include "apps/common/epoch_order.h"

namespace plumb {

/// The run of `plumb align` on a point model.
class Aligner final : public PreferenceRun {
 public:
  /// `settings`, resolved, must outlive it. Throws UsageError or ValueError for settings, model and pairs that do not
  /// fit together.
  Aligner(const AlignSettings& settings, Json identity, PointModel model, PreferencePairs pairs);

 private:
  void go_to(int64_t step) override { index_.copy_(order_.at(step)); }
  PreferencePairs pairs() override { return setup_.pairs.take(index_); }
  bool looks_at(int64_t step) const override;
  void look_at(int64_t step, Step& done) override;
  void finish(const OutputDir& out, double seconds) override;

  /// Error of the initial model on winners against the forward process' target, at the timesteps that are trained.
  double measure_reference_error();
  /// Standard deviation of samples, averaged over classes. See HealthSample.
  double measure_spread(Denoiser& model);

  const AlignSettings& settings_;
  AlignSetup setup_;
  EpochOrder order_;
  Tensor index_;  // i64 [effective batch], on the pairs' device
  double reference_spread_ = 0;
};

/// Mean over classes of the standard deviation over all axes. samples: [N, D] · labels: i64 [N] or undefined (one
/// class). Classes of fewer than two samples are left out.
double class_spread(const Tensor& samples, const Tensor& labels);

}  // namespace plumb
