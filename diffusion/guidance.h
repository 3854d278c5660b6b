#pragma once

#include "diffusion/denoiser.h"

namespace plumb {

/// Classifier-free guidance, away from `negative` and towards `positive`:         [Ho & Salimans 2022]
///   prediction = f(x, negative) + scale * (f(x, positive) - f(x, negative))
/// and, with a rescale r, brought towards the spread of the positive prediction:          [Lin et al. 2024, Sec. 3.4]
///   prediction = prediction * (r std(f(x, positive)) / std(prediction) + 1 - r)         std over all but the batch
/// One forward pass over both halves. scale 1 is the plain positive prediction and runs only that half.
/// x: [N, …] · t: f32 [N] · returns like x; not recorded. Throws ValueError when scale is not finite or rescale is not
/// in [0, 1].
struct Guidance {
  double scale = 1;
  double rescale = 0;
};
Tensor guided_prediction(Denoiser& model, const Tensor& x, const Tensor& t, const Condition& positive,
                         const Condition& negative, Guidance guidance);
inline Tensor guided_prediction(Denoiser& model, const Tensor& x, const Tensor& t, const Condition& positive,
                                const Condition& negative, double scale) {
  return guided_prediction(model, x, t, positive, negative, Guidance{.scale = scale});
}

}  // namespace plumb
