// Three products of tall matrices with small ones, so it is written in other ops and has no kernel of its own. With
// v' = [v, 1], s = relu(k)^T v' and n_i = relu(q_i) s = [numerator, denominator]:
//   backward  dn_i = [g_i, -g_i . out_i] / denominator_i
//             d relu(q) = dn s^T,   ds = relu(q)^T dn,   d relu(k) = v' ds^T,   dv' = relu(k) ds

#include "engine/ops/attention/linear_attention.h"

#include "engine/format.h"
#include "engine/ops/attention/check_attention.h"
#include "engine/ops/elementwise/binary.h"
#include "engine/ops/elementwise/unary.h"
#include "engine/ops/layout/cat.h"
#include "engine/ops/layout/view.h"
#include "engine/ops/linalg/matmul.h"
#include "engine/ops/reduce/sum.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr double kLeastWeight = 1e-15;  // SANA's

/// relu(x) in the type that is computed in.
Tensor features(const Tensor& x) { return relu(x.to(acc_dtype(x.dtype())).contiguous()); }

/// [v, 1].
Tensor with_ones(const Tensor& v) {
  const Tensor wide = v.to(acc_dtype(v.dtype())).contiguous();
  Shape column = wide.shape();
  column[column.rank() - 1] = 1;
  return cat({wide, ones(column, wide.dtype(), wide.device())}, -1);
}

Tensor turned(const Tensor& x) { return transpose(x, -2, -1); }

/// relu(q) s, apart: numerator [..., Tq, dv] and denominator [..., Tq, 1].
struct Parts {
  Tensor numerator, denominator;
};
Parts parts_of(const Tensor& q_features, const Tensor& state) {
  const Tensor both = matmul(q_features, state);
  const int64_t width = both.shape().back() - 1;
  return {slice(both, -1, 0, width), add(slice(both, -1, width), kLeastWeight)};
}

/// grad where x > 0, in x's type.
Tensor through_relu(const Tensor& grad, const Tensor& x_features, const Tensor& x) {
  return relu_backward(grad, x_features).to(x.dtype());
}

}  // namespace

LinearAttentionResult linear_attention(const Tensor& q, const Tensor& k, const Tensor& v) {
  check_attention("linear_attention", q, k, v);
  const OpScope scope("linear_attention", q, k, v);
  LinearAttentionResult result;
  result.state = matmul(turned(features(k)), with_ones(v));
  const Parts parts = parts_of(features(q), result.state);
  result.out = div(parts.numerator, parts.denominator).to(q.dtype()).contiguous();
  return result;
}

LinearAttentionGrads linear_attention_backward(const Tensor& grad, const LinearAttentionForward& forward,
                                               LinearAttentionWanted wanted) {
  const OpScope scope("linear_attention_backward", grad, forward.q, forward.k, forward.v);
  const Tensor queries = features(forward.q), state = forward.result.state;
  const Tensor upstream = grad.to(queries.dtype()).contiguous();
  const Parts parts = parts_of(queries, state);
  // The quotient again and not the result, which may have been rounded to 16 bits.
  const Tensor out = div(parts.numerator, parts.denominator);
  const Tensor against = neg(sum(mul(upstream, out), {-1}, true));
  const Tensor weighted = div(cat({upstream, against}, -1), parts.denominator);

  LinearAttentionGrads grads;
  if (wanted.q) grads.q = through_relu(matmul(weighted, turned(state)), queries, forward.q);
  if (!wanted.k && !wanted.v) return grads;
  const Tensor keys = features(forward.k), grad_state = matmul(turned(queries), weighted);
  if (wanted.k) grads.k = through_relu(matmul(with_ones(forward.v), turned(grad_state)), keys, forward.k);
  if (wanted.v) grads.v = matmul(keys, slice(grad_state, -1, 0, forward.v.shape().back())).to(forward.v.dtype());
  return grads;
}

}  // namespace plumb
