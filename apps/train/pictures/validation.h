#pragma once

#include "apps/train/pictures/settings.h"
#include "diffusion/pipeline/pipeline.h"

namespace plumb::train {

/// Grids of samples along a run, always from the same seeds: OUT/samples/step-00000500.png.
class Validation {
 public:
  /// `shape`: of a sample, [C, H, W]. `classes`: labels to show, 0 for none.
  Validation(const PictureSettings& settings, Pipeline& pipeline, const Shape& shape, int64_t classes);

  /// Whether a grid is due after `step` steps.
  bool is_due(int64_t step) const { return settings_.validation_steps > 0 && step % settings_.validation_steps == 0; }
  void draw(int64_t step);

 private:
  const PictureSettings& settings_;
  Pipeline& pipeline_;
  Shape shape_;
  int64_t classes_;
};

}  // namespace plumb::train
