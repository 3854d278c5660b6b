#pragma once

#include <memory>

#include "apps/common/sample_grid.h"
#include "apps/common/step_graph.h"
#include "apps/common/training_run.h"
#include "apps/train/pictures/inputs.h"
#include "diffusion/text_denoiser.h"

namespace plumb::train {

/// The run of `plumb train --train_data_dir`: denoising of pictures.
class PictureTrainer final : public TrainingRun {
 public:
  /// `settings` are complete: transform, steps and device are filled in. Throws UsageError or ValueError for settings
  /// that do not fit together.
  PictureTrainer(const PictureSettings& settings, const ConfigEntries& resolved, const PictureDataset& data,
                 Pipeline pipeline);

  /// Makes the caches of the output folder, once it is there.
  void prepare() { inputs_.prepare(); }

 private:
  Step compute(int64_t step) override;
  void apply(int64_t step, Step& done) override;
  std::optional<Step> whole_step(int64_t step) override;
  TrainingState state() override { return {&trained(), optimizer_.get(), ema_.get()}; }
  void finish(const OutputDir& out, double seconds) override;

  /// What is trained: the network, or with it its text encoder.
  Denoiser& trained() { return joint_ ? static_cast<Denoiser&>(*joint_) : *pipeline_.unet; }

  /// What the host reads of a step, on the device that computed it.
  struct Found {
    Tensor loss, grad_norm;
  };
  /// Of the pictures that inputs_ went to, with the draws of `step`.
  Found gradients(int64_t step);
  Step report(int64_t step, const Found& found);
  void validate(int64_t step);

  const PictureSettings& settings_;
  RandomKey key_;
  Pipeline pipeline_;
  std::unique_ptr<TextDenoiser> joint_;  // null unless the text encoder is trained
  NoiseSchedule schedule_;
  Prediction prediction_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<Ema> ema_;
  Inputs inputs_;
  SampleGrid samples_;
  StepGraph<Found> graph_;
  double last_loss_ = 0;
};

}  // namespace plumb::train
