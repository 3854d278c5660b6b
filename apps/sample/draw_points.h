#pragma once

#include "apps/common/plot/figure.h"
#include "engine/tensor.h"

namespace plumb {

/// A scatter plot of the first two coordinates, a colour a class. points: f32 [N, D >= 2] · labels: i64 [N] or
/// undefined.
plot::Figure draw_points(const Tensor& points, const Tensor& labels, const std::string& title,
                         const std::string& caption);

}  // namespace plumb
