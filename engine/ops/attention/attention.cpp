#include "engine/ops/attention/attention.h"

#include <algorithm>
#include <cmath>

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/ops/attention/attention_kernels.h"
#include "engine/ops/attention/check_attention.h"
#include "engine/ops/linalg/matmul_kernels.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// The type that kernels take and give: on the CPU the one that is computed in, on CUDA the tensors' own.
DType kernel_dtype(const Tensor& x) { return x.device().is_cuda() ? x.dtype() : acc_dtype(x.dtype()); }

/// In that type, with rows that a product can read where they lie.
Tensor with_dense_rows(const Tensor& x) {
  const Tensor wide = x.to(kernel_dtype(x));
  const MatrixLayout layout = matrix_layout(wide);
  return layout.valid && !layout.transposed ? wide : wide.contiguous();
}

/// Of both products of the forward, q k^T and p v; a causal mask leaves out what lies right of the diagonal.
int64_t product_flops(const Tensor& q, const Tensor& k, const Tensor& v, bool causal) {
  const int64_t queries = q.shape().back(1), keys = k.shape().back(1), d = q.shape().back();
  if (queries * d == 0) return 0;
  const int64_t seen = std::min(queries, keys);
  const int64_t pairs = causal ? seen * (seen + 1) / 2 + (queries - seen) * keys : queries * keys;
  return 2 * (q.numel() / (queries * d)) * pairs * (d + v.shape().back());
}

AttentionSetting setting_of(const Tensor& q, const AttentionOptions& options) {
  const double d = double(std::max<int64_t>(q.shape().back(), 1));
  return {options.causal, options.scale.value_or(1 / std::sqrt(d))};
}

}  // namespace

AttentionResult attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options) {
  const OpScope scope("attention", q, k, v);
  check_attention("attention", q, k, v);
  Shape shape = q.shape();
  shape[shape.rank() - 1] = v.shape().back();
  const Shape rows(shape.begin(), shape.rank() - 1);
  const DType acc = acc_dtype(q.dtype());
  if (k.shape().back(1) == 0 || numel(shape) == 0)
    return {zeros(shape, q.dtype(), q.device()), full(rows, -HUGE_VAL, acc, q.device())};
  AttentionResult result{empty(shape, kernel_dtype(q), q.device()), empty(rows, acc, q.device())};
  scope.writes(result.out);
  scope.flops(product_flops(q, k, v, options.causal));
  const Tensor queries = with_dense_rows(q), keys = with_dense_rows(k), values = with_dense_rows(v);
  on_device(q.device(),
            [&](auto backend) { attention_kernel(backend, queries, keys, values, setting_of(q, options), result); });
  result.out = result.out.to(q.dtype());
  return result;
}

AttentionGrads attention_backward(const Tensor& grad, const AttentionForward& forward, AttentionWanted wanted) {
  const OpScope scope("attention_backward", grad, forward.q, forward.k, forward.v, forward.result.out);
  const auto& [q, k, v, result, options] = forward;
  const DType dtype = kernel_dtype(q);
  AttentionGrads grads;
  const bool runs = grad.numel() > 0 && v.numel() > 0;
  const auto make = runs ? empty : zeros;
  if (wanted.q) grads.q = zeros(q.shape(), dtype, q.device());
  if (wanted.k) grads.k = make(k.shape(), dtype, q.device());
  if (wanted.v) grads.v = make(v.shape(), dtype, q.device());
  for (const Tensor* each : {&grads.q, &grads.k, &grads.v}) scope.writes(*each);
  // Scores and their gradient, then the product behind each gradient wanted.
  scope.flops(product_flops(q, k, v, options.causal) / 2 * (2 + wanted.q + wanted.k + wanted.v));
  if (runs) {
    const AttentionOperands from{with_dense_rows(grad),
                                 with_dense_rows(q),
                                 with_dense_rows(k),
                                 with_dense_rows(v),
                                 result.out.to(dtype).contiguous(),
                                 result.lse.contiguous()};
    on_device(q.device(),
              [&](auto backend) { attention_backward_kernel(backend, from, setting_of(q, options), grads); });
  }
  for (Tensor* each : {&grads.q, &grads.k, &grads.v})
    if (each->defined()) *each = each->to(q.dtype());
  return grads;
}

}  // namespace plumb
