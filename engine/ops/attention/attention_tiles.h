#pragma once

#include "engine/ops/attention/attention_kernels.h"

// Attention on CUDA by kernels of our own, in every floating dtype and for every size and mask.

namespace plumb {

/// As attention_kernel and attention_backward_kernel.
void attention_tiles(Cuda cuda, const Tensor& q, const Tensor& k, const Tensor& v, AttentionSetting setting,
                     AttentionResult& result);
void attention_tiles_backward(Cuda cuda, const AttentionOperands& from, AttentionSetting setting,
                              AttentionGrads& grads);

}  // namespace plumb
