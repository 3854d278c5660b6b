#pragma once

#include "nn/parameter_arena.h"

namespace plumb {

/// Euclidean norm of all gradients in the arena together: f64, one element. Accumulated in f64 in an order that depends
/// on sizes alone. Gradients that have not arrived count as zero.
Tensor grad_norm(ParameterArena& arena);

/// Scales all gradients by min(1, max_norm / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_, and returns the norm
/// before scaling. No value is read by the host. A norm that is not finite makes gradients NaN, as in torch: pass
/// not_finite(norm) to Optimizer::step. Throws ValueError unless max_norm > 0.
Tensor clip_grad_norm(ParameterArena& arena, double max_norm);

/// true (bool, one element) when `x` (f64, one element) is NaN or infinite.
Tensor not_finite(const Tensor& x);

}  // namespace plumb
