#include "engine/ops/softmax/softmax_reference.h"

#include <algorithm>
#include <cmath>

#include "engine/ops/reference/array.h"

namespace plumb::reference {
namespace {

template <class F>
Tensor along(const Tensor& x, int64_t dim, F of_terms) {
  const int64_t axis = normalize_dim("softmax", dim, x.rank()), n = x.shape()[axis];
  const int64_t outer = numel(Shape(x.shape().begin(), axis));
  const int64_t inner = n == 0 ? 0 : x.numel() / std::max<int64_t>(1, outer * n);
  const Array in = Array(x).reshaped({outer, n, inner});
  Array out(in.shape());
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t k = 0; k < inner; ++k)
      for (int64_t i = 0; i < n; ++i) {
        // Relative to the element in question: its own term is 1, and nothing is lost for it.
        double sum = 0;
        for (int64_t j = 0; j < n; ++j) sum += std::exp(in(o, j, k) - in(o, i, k));
        out(o, i, k) = of_terms(sum);
      }
  return out.reshaped(x.shape()).to_tensor();
}

}  // namespace

Tensor softmax(const Tensor& x, int64_t dim) {
  return along(x, dim, [](double sum) { return 1 / sum; });
}

Tensor log_softmax(const Tensor& x, int64_t dim) {
  return along(x, dim, [](double sum) { return -std::log(sum); });
}

}  // namespace plumb::reference
