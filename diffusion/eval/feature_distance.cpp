#include "diffusion/eval/feature_distance.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "diffusion/eval/feature_set.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "engine/require.h"
#include "nn/metrics/symmetric_eigen.h"

namespace plumb {
namespace {

void check(const char* what, const Tensor& x, const Tensor& y) {
  check_features(what, x);
  check_features(what, y);
  require<ShapeError>(x.size(1) == y.size(1), "{}: both sets must have as many features; {} and {}", what, x, y);
  require<ValueError>(x.size(0) > 1 && y.size(0) > 1, "{}: each set must have two pictures ({} and {})", what,
                      x.size(0), y.size(0));
}

struct Moments {
  Tensor mean, covariance;  // [D], [D, D]
};

Moments moments_of(const Tensor& x) {
  const Tensor mean = plumb::mean(x, {0}, false), centred = x - mean;
  return {mean, matmul(transpose(centred, 0, 1), centred) * (1 / double(x.size(0) - 1))};
}

double trace(const Tensor& matrix) {
  double sum = 0;
  const std::vector<double> values = matrix.to_vector<double>();
  for (size_t i = 0; i < values.size(); i += size_t(matrix.size(0)) + 1) sum += values[i];
  return sum;
}

/// Sum of (x.y / D + 1)^3 over rows of x and y, and over equal indices.
struct KernelSums {
  double all, diagonal;
};

KernelSums kernel_sums(const Tensor& x, const Tensor& y) {
  const std::vector<double> dots = matmul(x, transpose(y, 0, 1)).to_vector<double>();
  const double scale = 1 / double(x.size(1));
  const size_t columns = size_t(y.size(0));
  KernelSums sums{0, 0};
  for (size_t i = 0; i < size_t(x.size(0)); ++i)
    for (size_t j = 0; j < columns; ++j) {
      const double base = dots[i * columns + j] * scale + 1, value = base * base * base;
      sums.all += value;
      if (i == j) sums.diagonal += value;
    }
  return sums;
}

double discrepancy(const Tensor& x, const Tensor& y) {
  const double n = double(x.size(0)), m = double(y.size(0));
  const KernelSums xx = kernel_sums(x, x), yy = kernel_sums(y, y), xy = kernel_sums(x, y);
  return (xx.all - xx.diagonal) / (n * (n - 1)) + (yy.all - yy.diagonal) / (m * (m - 1)) - 2 * xy.all / (n * m);
}

}  // namespace

double frechet_distance(const Tensor& x, const Tensor& y) {
  check("frechet_distance", x, y);
  const Moments a = moments_of(x.to(DType::f64)), b = moments_of(y.to(DType::f64));
  const Tensor apart = a.mean - b.mean, root = symmetric_root(a.covariance);
  const std::vector<double> values = symmetric_eigen(matmul(matmul(root, b.covariance), root), false).values;
  // Below this an eigenvalue is rounding alone, and its root would be far larger than it.
  const double noise = double(values.size()) * std::numeric_limits<double>::epsilon() * std::max(values.back(), 0.0);
  double cross = 0;
  for (double value : values)
    if (value > noise) cross += std::sqrt(value);
  return std::max(0.0, sum(apart * apart).item() + trace(a.covariance) + trace(b.covariance) - 2 * cross);
}

KernelDistance kernel_distance(const Tensor& x, const Tensor& y, const KernelDistanceOptions& options,
                               const RandomKey& key) {
  check("kernel_distance", x, y);
  require<ValueError>(options.subsets >= 1 && options.subset_size >= 2,
                      "kernel_distance: there must be a subset of two pictures ({} of {})", options.subsets,
                      options.subset_size);
  const Tensor wide_x = x.to(DType::f64), wide_y = y.to(DType::f64);
  KernelDistance result{0, 0, std::min({options.subset_size, x.size(0), y.size(0)})};
  std::vector<double> found;
  for (int64_t k = 0; k < options.subsets; ++k) {
    const RandomKey draw = key.at_step(uint64_t(k));
    found.push_back(discrepancy(index_select(wide_x, 0, draw_rows(x.size(0), result.subset_size, draw.fork("x"))),
                                index_select(wide_y, 0, draw_rows(y.size(0), result.subset_size, draw.fork("y")))));
  }
  for (double value : found) result.mean += value / double(found.size());
  for (double value : found) result.deviation += (value - result.mean) * (value - result.mean) / double(found.size());
  result.deviation = std::sqrt(result.deviation);
  return result;
}

}  // namespace plumb
