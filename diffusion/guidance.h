#pragma once

#include "diffusion/denoiser.h"

namespace plumb {

/// Classifier-free guidance, away from `negative` and towards `positive`:         [Ho & Salimans 2022]
///   prediction = f(x, negative) + scale * (f(x, positive) - f(x, negative))
/// One forward pass over both halves. scale 1 is the plain positive prediction and runs only that half.
/// x: [N, …] · t: f32 [N] · returns like x; not recorded. Throws ValueError when scale is not finite.
Tensor guided_prediction(Denoiser& model, const Tensor& x, const Tensor& t, const Condition& positive,
                         const Condition& negative, double scale);

}  // namespace plumb
