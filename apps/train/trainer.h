#pragma once

#include <memory>

#include "apps/common/step_graph.h"
#include "apps/common/training_run.h"
#include "apps/train/batch_source.h"
#include "diffusion/point_model.h"

namespace plumb::train {

/// The run of `plumb train`: denoising of points.
class Trainer final : public TrainingRun {
 public:
  /// `data` is on the CPU. Throws UsageError or ValueError for settings that do not fit together.
  Trainer(const Settings& settings, const ConfigEntries& resolved, const PointData& data);

 private:
  Step compute(int64_t step) override;
  void apply(int64_t step, Step& done) override;
  std::optional<Step> whole_step(int64_t step) override;
  TrainingState state() override { return {model_.network.get(), optimizer_.get(), ema_.get()}; }
  void finish(const OutputDir& out, double seconds) override;

  /// What the host reads of a step, on the device that computed it.
  struct Found {
    Tensor loss, grad_norm;
  };

  Variable loss_of(const DenoisingBatch& batch);
  /// Of the rows that batches_ went to, with the draws of `step`.
  Found gradients(int64_t step);
  Step report(int64_t step, const Found& found);
  /// Loss of the network as it is, over enough batches to be told from noise.
  double measure_error();

  const Settings& settings_;
  RandomKey key_;
  PointData data_;  // on the device that computes
  Generator generator_;
  PointModel model_;
  NoiseSchedule schedule_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<Ema> ema_;
  BatchSource batches_;
  StepGraph<Found> graph_;
  double untrained_error_ = 0;  // what the collapse rule compares with
  double last_loss_ = 0;
};

}  // namespace plumb::train
