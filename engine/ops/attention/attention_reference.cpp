#include "engine/ops/attention/attention_reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/ops/reference/array.h"

namespace plumb::reference {
namespace {

/// Batch and head dimensions as one: [heads, T, d].
Array by_head(const Tensor& x) {
  const int64_t rows = x.size(-2), width = x.size(-1);
  const Shape lead(x.shape().begin(), x.rank() - 2);
  return Array(x).reshaped({numel(lead), rows, width});
}

struct Problem {
  Array q, k, v;
  AttentionOptions options;
  double scale;

  Problem(const Tensor& q_, const Tensor& k_, const Tensor& v_, const AttentionOptions& o)
      : q(by_head(q_)),
        k(by_head(k_)),
        v(by_head(v_)),
        options(o),
        scale(o.scale.value_or(1 / std::sqrt(static_cast<double>(q_.size(-1))))) {}

  int64_t visible_keys(int64_t i) const { return options.causal ? std::min(k.size(1), i + 1) : k.size(1); }
};

/// One row of the matrix of probabilities, and the logarithm of the sum of exponentials it was divided by.
struct Row {
  std::vector<double> p;
  double lse;
};

Row probabilities(const Problem& a, int64_t head, int64_t i) {
  Row row{std::vector<double>(static_cast<size_t>(a.visible_keys(i))), 0};
  double top = -std::numeric_limits<double>::infinity(), total = 0;
  for (size_t j = 0; j < row.p.size(); ++j) {
    for (int64_t d = 0; d < a.q.size(2); ++d) row.p[j] += a.q(head, i, d) * a.k(head, j, d);
    row.p[j] *= a.scale;
    top = std::max(top, row.p[j]);
  }
  for (double& p : row.p) {
    p = std::exp(p - top);
    total += p;
  }
  for (double& p : row.p) p /= total;
  row.lse = top + std::log(total);
  return row;
}

Shape with_last(const Tensor& x, int64_t width) {
  Shape shape = x.shape();
  shape[shape.rank() - 1] = width;
  return shape;
}

}  // namespace

AttentionResult attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options) {
  const Problem a(q, k, v, options);
  Array out({a.q.size(0), a.q.size(1), a.v.size(2)}), lse({a.q.size(0), a.q.size(1)});
  for (int64_t head = 0; head < out.size(0); ++head)
    for (int64_t i = 0; i < out.size(1); ++i) {
      const Row row = probabilities(a, head, i);
      lse(head, i) = row.lse;
      for (size_t j = 0; j < row.p.size(); ++j)
        for (int64_t d = 0; d < out.size(2); ++d) out(head, i, d) += row.p[j] * a.v(head, j, d);
    }
  return {out.reshaped(with_last(q, v.size(-1))).to_tensor(),
          lse.reshaped(Shape(q.shape().begin(), q.rank() - 1)).to_tensor()};
}

AttentionGrads attention_backward(const Tensor& grad, const Tensor& q, const Tensor& k, const Tensor& v,
                                  const AttentionOptions& options) {
  const Problem a(q, k, v, options);
  const Array g = by_head(grad);
  Array dq(a.q.shape()), dk(a.k.shape()), dv(a.v.shape());
  for (int64_t head = 0; head < g.size(0); ++head)
    for (int64_t i = 0; i < g.size(1); ++i) {
      const Row row = probabilities(a, head, i);
      // dp_j = g . v_j, and softmax's gradient: ds_j = p_j (dp_j - sum over l of p_l dp_l).
      std::vector<double> dp(row.p.size());
      double mean = 0;
      for (size_t j = 0; j < dp.size(); ++j) {
        for (int64_t d = 0; d < g.size(2); ++d) {
          dp[j] += g(head, i, d) * a.v(head, j, d);
          dv(head, j, d) += row.p[j] * g(head, i, d);
        }
        mean += row.p[j] * dp[j];
      }
      for (size_t j = 0; j < dp.size(); ++j) {
        const double ds = a.scale * row.p[j] * (dp[j] - mean);
        for (int64_t d = 0; d < dq.size(2); ++d) {
          dq(head, i, d) += ds * a.k(head, j, d);
          dk(head, j, d) += ds * a.q(head, i, d);
        }
      }
    }
  return {dq.reshaped(q.shape()).to_tensor(), dk.reshaped(k.shape()).to_tensor(), dv.reshaped(v.shape()).to_tensor()};
}

}  // namespace plumb::reference
