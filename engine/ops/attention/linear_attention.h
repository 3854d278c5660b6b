#pragma once

#include "engine/tensor.h"

namespace plumb {

/// out, and what its backward needs: state [..., d, dv + 1], the sums over tokens of relu(k_j) v_j^T and, in the last
/// column, of relu(k_j), in Acc<T>.
struct LinearAttentionResult {
  Tensor out, state;
};

/// Attention with a kernel in place of the exponential [Katharopoulos et al. 2020], as SANA has it [Xie et al. 2024]:
///   out_i = sum over j of (relu(q_i) . relu(k_j)) v_j / (1e-15 + sum over j of relu(q_i) . relu(k_j))
/// The sums over j do not depend on i and are taken once, so work and memory grow with Tq + Tk and no matrix of
/// Tq by Tk exists. A query that sees nothing (no common positive feature) gives 0.
/// q: [..., Tq, d] · k: [..., Tk, d] · v: [..., Tk, dv], batch dimensions equal, of one floating dtype, any strides ·
/// returns out [..., Tq, dv], contiguous. 16-bit values are computed in f32 and rounded once. Differentiable in q, k,
/// v. Throws ShapeError when ranks, batch dimensions, d or Tk disagree, DTypeError, DeviceError.
LinearAttentionResult linear_attention(const Tensor& q, const Tensor& k, const Tensor& v);

/// Gradients of linear_attention, each like its input; undefined where not asked for.
struct LinearAttentionGrads {
  Tensor q, k, v;
};
/// Which gradients to compute.
struct LinearAttentionWanted {
  bool q = true, k = true, v = true;
};
/// What the forward was given and got.
struct LinearAttentionForward {
  Tensor q, k, v;
  LinearAttentionResult result;
};
/// grad: like out.
LinearAttentionGrads linear_attention_backward(const Tensor& grad, const LinearAttentionForward& forward,
                                               LinearAttentionWanted wanted = {});

}  // namespace plumb
