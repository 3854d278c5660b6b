#pragma once

#include "apps/train/pictures/settings.h"
#include "diffusion/pipeline/pipeline.h"
#include "diffusion/sampler/sample_pictures.h"

namespace plumb::train {

/// Grids of samples along a run, always from the same seeds: OUT/samples/step-00000500.png. A picture for each prompt
/// where the network looks at text.
class Validation {
 public:
  /// `shape`: of a sample, [C, H, W]. `classes`: labels to show, 0 for none.
  Validation(const PictureSettings& settings, Pipeline& pipeline, const Shape& shape, int64_t classes);

  /// Whether a grid is due after `step` steps.
  bool is_due(int64_t step) const { return settings_.validation_steps > 0 && step % settings_.validation_steps == 0; }
  void draw(int64_t step);

 private:
  /// What the pictures show; rows of start.
  void set_conditions(PictureStart& start);
  std::string facts(int64_t step) const;

  const PictureSettings& settings_;
  Pipeline& pipeline_;
  Shape shape_;
  int64_t classes_;
  std::vector<std::string> prompts_;
  int64_t count_;
  Condition positive_, negative_;  // of the prompts, once they were needed
};

}  // namespace plumb::train
