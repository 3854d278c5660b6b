#pragma once

#include <optional>

#include "engine/tensor.h"

namespace plumb {

/// Settings of attention.
struct AttentionOptions {
  bool causal = false;               ///< query i sees keys 0 … i only (torch's is_causal: aligned at the top left)
  std::optional<double> scale = {};  ///< of the scores; 1 / sqrt(d) unless set
};

/// out, and what its backward needs: lse[..., i] = log(sum over visible keys of e^score), in Acc<T>.
struct AttentionResult {
  Tensor out, lse;
};

/// Scaled dot-product attention [Vaswani et al. 2017]:
///   score_ij = scale q_i . k_j,   p_i = softmax(score_i),   out_i = sum over j of p_ij v_j
/// q: [..., Tq, d] · k: [..., Tk, d] · v: [..., Tk, dv], batch dimensions (heads among them) equal, of one floating
/// dtype; rows may be strided as those of permuted heads are, only a last dimension that is not dense is copied.
/// Returns out [..., Tq, dv], contiguous, and lse [..., Tq]. Tk = 0 gives zeros. 16-bit values are computed in f32 and
/// rounded once. Differentiable in q, k, v.
/// Scores exist for a block of queries and keys at a time, normalised as they come [Milakov & Gimelshein 2018; Dao et
/// al. 2022]: memory grows with Tq + Tk. Scores of any finite size are safe. The bits do not depend on threads.
/// Throws ShapeError when ranks, batch dimensions, d or Tk disagree, DTypeError, DeviceError.
AttentionResult attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options = {});

/// Gradients of attention, each like its input; undefined where not asked for.
struct AttentionGrads {
  Tensor q, k, v;
};
/// Which gradients to compute.
struct AttentionWanted {
  bool q = true, k = true, v = true;
};
/// What the forward was given and got.
struct AttentionForward {
  Tensor q, k, v;
  AttentionResult result;
  AttentionOptions options;
};
/// With grad like out: dv = p^T grad, ds = p (grad v^T - rowsum(grad out)), dq = scale ds k, dk = scale ds^T q. The
/// probabilities are computed again, block by block, from q, k and lse.
AttentionGrads attention_backward(const Tensor& grad, const AttentionForward& forward, AttentionWanted wanted = {});

}  // namespace plumb
