#pragma once

#include "engine/tensor.h"

namespace plumb {

struct TimestepEmbeddingOptions {
  bool flip_sin_to_cos = false;  ///< [cos, sin] instead of [sin, cos]
  double downscale_freq_shift = 1;
  double scale = 1;
  double max_period = 10000;
};

/// Sinusoidal position of a (possibly fractional) timestep, diffusers' get_timestep_embedding:
///   f_i = exp(-ln(max_period) i / (half - downscale_freq_shift)),  i = 0 … half-1,  half = dim / 2
///   y = [sin(scale t f), cos(scale t f)], swapped with flip_sin_to_cos; one zero is appended when dim is odd
/// t: [N], any numeric type · y: [N, dim] f32 (f64 for f64 t, then all of it in f64). Not differentiable: t is data. f
/// and t f are rounded to the type of the result, as in diffusers.
/// Stable Diffusion uses flip_sin_to_cos = true, downscale_freq_shift = 0.
/// Throws ShapeError unless t is [N]; ValueError when dim < 2 or half equals downscale_freq_shift.
Tensor timestep_embedding(const Tensor& t, int64_t dim, const TimestepEmbeddingOptions& options = {});

}  // namespace plumb
