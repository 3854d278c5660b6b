#pragma once

#include "engine/tensor.h"

// Small operations on flat tensors that clipping and averaging need, with their scalars on the device.

namespace plumb {

/// total += sum of x^2, accumulated in f64 in an order that depends on the size alone.
/// x: floating, contiguous; total: f64, one element.
void add_sum_of_squares_(Tensor& total, const Tensor& x);

/// sqrt(x), min(1, max_norm / (norm + 1e-6)), and whether x is NaN or infinite (bool); x, norm: f64, one element.
Tensor root_of(const Tensor& x);
Tensor clip_factor(const Tensor& norm, double max_norm);
Tensor is_not_finite(const Tensor& x);

/// x *= factor, computed in acc_dtype(x). factor: f64, one element; x: floating, contiguous.
void scale_by_(Tensor& x, const Tensor& factor);

/// shadow <- shadow - (1 - decay) (shadow - weight), as diffusers' EMAModel computes it.
/// decay: f64, one element; shadow and weight: one floating type, flat, contiguous, of one length. 16-bit types are
/// computed in f32.
void ema_step(Tensor& shadow, const Tensor& weight, const Tensor& decay);

}  // namespace plumb
