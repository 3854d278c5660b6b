#include "engine/ops/linalg/matmul_reference.h"

#include "engine/ops/layout/view.h"
#include "engine/ops/reference/array.h"

namespace plumb::reference {
namespace {

Shape with_matrix(const Shape& batch, int64_t rows, int64_t columns) {
  Shape shape = batch;
  shape.push_back(rows);
  shape.push_back(columns);
  return shape;
}

Shape batch_of(const Tensor& x) { return Shape(x.shape().begin(), x.rank() - 2); }

/// As if it had been stored that often: [matrices, rows, columns].
Array repeated(const Tensor& x, const Shape& batch) {
  const Tensor full = expand(x, with_matrix(batch, x.size(-2), x.size(-1)));
  return Array(full).reshaped({numel(batch), x.size(-2), x.size(-1)});
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b) {
  const Shape batch = broadcast_shapes("matmul", batch_of(a), batch_of(b));
  const Array left = repeated(a, batch), right = repeated(b, batch);
  Array out({numel(batch), a.size(-2), b.size(-1)});
  for (int64_t n = 0; n < out.size(0); ++n)
    for (int64_t i = 0; i < out.size(1); ++i)
      for (int64_t j = 0; j < out.size(2); ++j)
        for (int64_t k = 0; k < left.size(2); ++k) out(n, i, j) += left(n, i, k) * right(n, k, j);
  return out.reshaped(with_matrix(batch, a.size(-2), b.size(-1))).to_tensor();
}

}  // namespace plumb::reference
