#pragma once

#include "engine/ops/attention/attention.h"

// Attention with the whole matrix of scores, a row at a time (engine/ops/reference/array.h). Floating dtypes in, f64
// out.

namespace plumb::reference {

/// Arguments, shapes and lse as in plumb::attention.
AttentionResult attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options = {});
/// All three gradients.
AttentionGrads attention_backward(const Tensor& grad, const Tensor& q, const Tensor& k, const Tensor& v,
                                  const AttentionOptions& options = {});

}  // namespace plumb::reference
