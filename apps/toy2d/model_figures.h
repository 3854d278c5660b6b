#pragma once

#include <vector>

#include "apps/common/plot/figure.h"
#include "apps/toy2d/experiment.h"

namespace plumb::toy2d {

/// [K, 2] as points.
std::vector<plot::Point> center_points(const Tensor& centers);

/// A few DDIM trajectories a class, reference beside students.
plot::Figure trajectory_figure(const Settings& settings, const Results& results);

/// Predicted noise, negated so that arrows point where denoising goes, of class 0 late in sampling, at t = T / 8: the
/// exact clean and noisy worlds, the reference, and students.
plot::Figure field_figure(const Settings& settings, const Results& results);

}  // namespace plumb::toy2d
