#pragma once

#include "engine/backend.h"
#include "engine/ops/attention/attention.h"
#include "engine/tensor.h"

// q [..., Tq, d], k [..., Tk, d], v [..., Tk, dv], grad [..., Tq, dv]: f32 or f64, rows dense and at least a row apart,
// batch dimensions of any stride. Tq, Tk, dv and the batch are positive. The rest is contiguous, of the same dtype.
// On CUDA all but lse (f32) may be bf16 or f16.

namespace plumb {

/// What both directions need beside the tensors.
struct AttentionSetting {
  bool causal = false;
  double scale = 1;
};

/// Fills result.
void attention_kernel(Cpu, const Tensor& q, const Tensor& k, const Tensor& v, AttentionSetting setting,
                      AttentionResult& result);

/// What the backward reads.
struct AttentionOperands {
  Tensor grad, q, k, v, out, lse;
};
/// Fills the defined ones of grads; grads.q comes as zeros.
void attention_backward_kernel(Cpu, const AttentionOperands& from, AttentionSetting setting, AttentionGrads& grads);

void attention_kernel(Cuda cuda, const Tensor& q, const Tensor& k, const Tensor& v, AttentionSetting setting,
                      AttentionResult& result);
void attention_backward_kernel(Cuda cuda, const AttentionOperands& from, AttentionSetting setting,
                               AttentionGrads& grads);

}  // namespace plumb
