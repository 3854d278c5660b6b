#pragma once

#include "engine/backend.h"
#include "engine/ops/norm/group_norm.h"
#include "engine/tensor.h"

// x, y, grad: [N, P, C] with P pixels, all three in one memory order: the channels innermost, or the pixels; weight,
// bias: [C] in Acc<T>, or undefined; statistics: [2, N, groups] in Acc<T>. Nothing is empty.

namespace plumb {

void group_norm_kernel(Cpu, const Tensor& x, const Tensor& weight, const Tensor& bias, const GroupNormOptions& options,
                       GroupNormResult& out);
/// y from given statistics.
void group_norm_again_kernel(Cpu, const GroupNormSaved& saved, const GroupNormOptions& options, Tensor& y);
/// Fills the defined ones of grads; weight's and bias's are in Acc<T>.
void group_norm_backward_kernel(Cpu, const Tensor& grad, const GroupNormSaved& saved, const GroupNormOptions& options,
                                GroupNormGrads& grads);

// The same on CUDA.
void group_norm_kernel(Cuda cuda, const Tensor& x, const Tensor& weight, const Tensor& bias,
                       const GroupNormOptions& options, GroupNormResult& out);
void group_norm_again_kernel(Cuda cuda, const GroupNormSaved& saved, const GroupNormOptions& options, Tensor& y);
void group_norm_backward_kernel(Cuda cuda, const Tensor& grad, const GroupNormSaved& saved,
                                const GroupNormOptions& options, GroupNormGrads& grads);

}  // namespace plumb
