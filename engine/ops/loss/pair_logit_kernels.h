#pragma once

#include "engine/backend.h"
#include "engine/ops/loss/pair_logit.h"
#include "engine/tensor.h"

// Operands: contiguous, one shape [2B, ...] and dtype, B > 0; results in Acc<T>. factor: -beta / 2.

namespace plumb {

struct PairOperands {
  const Tensor &pred, &ref, &target;
  double divisor, factor;
};

void pair_logit_kernel(Cpu, const PairOperands& in, PairLogit& out);
/// grad: [B], contiguous; ref is not read.
void pair_logit_backward_kernel(Cpu, const Tensor& grad, const PairOperands& in, Tensor& grad_pred);

// The same on CUDA.
void pair_logit_kernel(Cuda cuda, const PairOperands& in, PairLogit& out);
void pair_logit_backward_kernel(Cuda cuda, const Tensor& grad, const PairOperands& in, Tensor& grad_pred);

}  // namespace plumb
