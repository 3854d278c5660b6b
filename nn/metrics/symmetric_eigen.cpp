#include "nn/metrics/symmetric_eigen.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/format.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// The working state: A is reduced to diagonal d and subdiagonal e (e[i] beside d[i] and d[i + 1]); the rows of q, if
/// wanted, become eigenvectors.
struct Tridiagonal {
  size_t n;
  std::vector<double> a, q, d, e;

  double* row(size_t i) { return a.data() + i * n; }
  double* vector(size_t i) { return q.data() + i * n; }
};

/// Rows from `first` on: q <- (1 - 2 v v^T) q.
void reflect_vectors(Tridiagonal& r, const std::vector<double>& v, size_t first) {
  std::vector<double> product(r.n);
  for (size_t i = first; i < r.n; ++i)
    for (size_t j = 0; j < r.n; ++j) product[j] += v[i] * r.vector(i)[j];
  for (size_t i = first; i < r.n; ++i)
    for (size_t j = 0; j < r.n; ++j) r.vector(i)[j] -= 2 * v[i] * product[j];
}

/// A <- H A H with H = 1 - 2 v v^T, on the rows and columns from `first` on: A - 2 v w^T - 2 w v^T with
/// w = A v - (v^T A v) v.
void reflect(Tridiagonal& r, const std::vector<double>& v, size_t first) {
  std::vector<double> w(r.n);
  double both = 0;
  for (size_t i = first; i < r.n; ++i) {
    for (size_t j = first; j < r.n; ++j) w[i] += r.row(i)[j] * v[j];
    both += v[i] * w[i];
  }
  for (size_t i = first; i < r.n; ++i) w[i] -= both * v[i];
  for (size_t i = first; i < r.n; ++i)
    for (size_t j = first; j < r.n; ++j) r.row(i)[j] -= 2 * (v[i] * w[j] + w[i] * v[j]);
}

void to_tridiagonal(Tridiagonal& r) {
  std::vector<double> v(r.n);
  for (size_t k = 0; k + 2 < r.n; ++k) {
    // v reflects column k, below the diagonal, onto its first element.
    double norm = 0;
    for (size_t i = k + 1; i < r.n; ++i) norm = std::hypot(norm, v[i] = r.row(i)[k]);
    r.e[k] = v[k + 1] > 0 ? -norm : norm;
    v[k + 1] -= r.e[k];
    double length = 0;
    for (size_t i = k + 1; i < r.n; ++i) length = std::hypot(length, v[i]);
    if (length == 0) continue;
    for (size_t i = k + 1; i < r.n; ++i) v[i] /= length;
    reflect(r, v, k + 1);
    if (!r.q.empty()) reflect_vectors(r, v, k + 1);
  }
  if (r.n > 1) r.e[r.n - 2] = r.row(r.n - 1)[r.n - 2];
  for (size_t i = 0; i < r.n; ++i) r.d[i] = r.row(i)[i];
}

void rotate_vectors(Tridiagonal& r, size_t i, double s, double c) {
  if (r.q.empty()) return;
  double *upper = r.vector(i), *lower = r.vector(i + 1);
  for (size_t k = 0; k < r.n; ++k) {
    const double f = lower[k];
    lower[k] = s * upper[k] + c * f;
    upper[k] = c * upper[k] - s * f;
  }
}

/// One QL step on the block from l to m: a bulge is chased upwards by rotations.
void ql_step(Tridiagonal& r, size_t l, size_t m) {
  std::vector<double>&d = r.d, &e = r.e;
  const double half = (d[l + 1] - d[l]) / (2 * e[l]);
  double g = d[m] - d[l] + e[l] / (half + std::copysign(std::hypot(half, 1.0), half));
  double s = 1, c = 1, shift = 0;
  for (size_t i = m; i-- > l;) {
    const double f = s * e[i], b = c * e[i], length = std::hypot(f, g);
    e[i + 1] = length;
    if (length == 0) {  // the block falls apart here
      d[i + 1] -= shift;
      e[m] = 0;
      return;
    }
    s = f / length, c = g / length;
    g = d[i + 1] - shift;
    const double t = (d[i] - g) * s + 2 * c * b;
    shift = s * t;
    d[i + 1] = g + shift;
    g = c * t - b;
    rotate_vectors(r, i, s, c);
  }
  d[l] -= shift;
  e[l] = g;
  e[m] = 0;
}

void diagonalise(Tridiagonal& r) {
  constexpr int kMostSteps = 100;  // two or three are usual
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  for (size_t l = 0; l < r.n; ++l)
    for (int step = 0;; ++step) {
      size_t m = l;
      while (m + 1 < r.n && std::abs(r.e[m]) > kEpsilon * (std::abs(r.d[m]) + std::abs(r.d[m + 1]))) ++m;
      if (m == l) break;
      require<NumericError>(step < kMostSteps, "symmetric_eigen: no convergence after {} steps", kMostSteps);
      ql_step(r, l, m);
    }
}

Tensor from_rows(const Tensor& vectors, const std::vector<double>& factors) {
  return matmul(transpose(vectors, 0, 1) * from_vector<double>(factors, {int64_t(factors.size())}), vectors);
}

}  // namespace

SymmetricEigen symmetric_eigen(const Tensor& matrix, bool vectors) {
  require<ShapeError>(matrix.rank() == 2 && matrix.size(0) == matrix.size(1) && matrix.size(0) > 0,
                      "symmetric_eigen: matrix must be square; {}", matrix);
  require<DTypeError>(matrix.dtype() == DType::f64, "symmetric_eigen: matrix must be f64; {}", matrix);
  const size_t n = size_t(matrix.size(0));
  Tridiagonal r{n, matrix.to_vector<double>(), {}, std::vector<double>(n), std::vector<double>(n)};
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j <= i; ++j) {
      require<NumericError>(std::isfinite(r.row(i)[j]), "symmetric_eigen: element [{}, {}] is not finite; {}", i, j,
                            matrix);
      r.row(j)[i] = r.row(i)[j];
    }
  if (vectors) {
    r.q.resize(n * n);
    for (size_t i = 0; i < n; ++i) r.vector(i)[i] = 1;
  }
  to_tridiagonal(r);
  diagonalise(r);
  std::vector<int64_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return r.d[size_t(a)] < r.d[size_t(b)]; });
  SymmetricEigen result;
  for (int64_t i : order) result.values.push_back(r.d[size_t(i)]);
  if (vectors)
    result.vectors = index_select(from_vector(r.q, {int64_t(n), int64_t(n)}), 0, from_vector(order, {int64_t(n)}));
  return result;
}

Tensor symmetric_root(const Tensor& matrix) {
  SymmetricEigen eigen = symmetric_eigen(matrix);
  for (double& value : eigen.values) value = std::sqrt(std::max(value, 0.0));
  return from_rows(eigen.vectors, eigen.values);
}

}  // namespace plumb
