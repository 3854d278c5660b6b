#include "diffusion/eval/feature_set.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "engine/format.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "engine/require.h"

namespace plumb {

void check_features(const char* what, const Tensor& x) {
  require<ShapeError>(x.defined() && x.rank() == 2 && x.numel() > 0, "{}: features must be [N, D]; {}", what, x);
  require<DTypeError>(is_floating(x.dtype()), "{}: features must be floating; {}", what, x);
  require<DeviceError>(x.device() == kCpu, "{}: features must be on the CPU; {}", what, x);
  require<NumericError>(all(isfinite(x), {}, false).item<bool>(), "{}: features must be finite; {}", what, x);
}

Tensor draw_rows(int64_t rows, int64_t count, const RandomKey& key) {
  require<ValueError>(count >= 0 && count <= rows, "draw_rows: there must be {} rows ({})", count, rows);
  const std::vector<double> draws = rand(key, {rows}, DType::f64).to_vector<double>();
  std::vector<int64_t> order(size_t(rows), 0);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return draws[size_t(a)] < draws[size_t(b)]; });
  order.resize(size_t(count));
  return from_vector(order, {count});
}

}  // namespace plumb
