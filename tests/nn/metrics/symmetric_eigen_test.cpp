#include "nn/metrics/symmetric_eigen.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "engine/error.h"
#include "engine/ops.h"
#include "tests/support/golden.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

Tensor rebuilt(const SymmetricEigen& eigen) {
  const Tensor values = from_vector<double>(eigen.values, {int64_t(eigen.values.size())});
  return matmul(transpose(eigen.vectors, 0, 1) * values, eigen.vectors);
}

double largest(const Tensor& x) {
  double found = 0;
  for (double value : x.to_vector<double>()) found = std::max(found, std::abs(value));
  return found;
}

Tensor identity(int64_t n) {
  Tensor x = zeros({n, n}, DType::f64);
  for (int64_t i = 0; i < n; ++i) x.mutable_data<double>()[i * n + i] = 1;
  return x;
}

}  // namespace

TEST_CASE("symmetric_eigen: values are NumPy's; vectors are orthonormal and give the matrix back") {
  const Golden golden("metrics");
  for (const Json& entry : golden.cases("eigen")) {
    CAPTURE(entry.at("case").as_string());
    const Tensor matrix = golden.tensor(entry, "matrix");
    const int64_t n = matrix.size(0);
    // n epsilon |A| is what either algorithm promises.
    const double close = double(n) * 2.3e-16 * std::max(1.0, largest(matrix) * double(n));
    const SymmetricEigen got = symmetric_eigen(matrix), values = symmetric_eigen(matrix, false);
    const std::vector<double> expected = golden.tensor(entry, "values").to_vector<double>();
    for (size_t i = 0; i < expected.size(); ++i) {
      CHECK(std::abs(got.values[i] - expected[i]) <= close);
      CHECK(std::abs(values.values[i] - expected[i]) <= close);
    }
    CHECK_FALSE(values.vectors.defined());
    CHECK(largest(rebuilt(got) - matrix) <= close);
    CHECK(largest(matmul(got.vectors, transpose(got.vectors, 0, 1)) - identity(n)) <= double(n) * 1e-15);
  }
}

TEST_CASE("symmetric_eigen: reads the lower triangle alone; scales from 1e-200 to 1e200") {
  const Tensor lower = from_vector<double>({2, 99, 1, 2}, {2, 2});
  CHECK(symmetric_eigen(lower).values[0] == doctest::Approx(1));
  CHECK(symmetric_eigen(lower).values[1] == doctest::Approx(3));
  const Tensor matrix = random_tensor({6, 6}, 5);
  const std::vector<double> plain = symmetric_eigen(matrix).values;
  for (double scale : {1e-200, 1e200}) {
    const std::vector<double> scaled = symmetric_eigen(matrix * scale).values;
    for (size_t i = 0; i < plain.size(); ++i) CHECK(scaled[i] / scale == doctest::Approx(plain[i]).epsilon(1e-12));
  }
}

TEST_CASE("symmetric_root: its square is the matrix, of full rank and of less") {
  for (int64_t rank : {3, 9}) {
    const Tensor half = random_tensor({9, rank}, 7), matrix = matmul(half, transpose(half, 0, 1));
    const Tensor root = symmetric_root(matrix);
    CHECK(largest(matmul(root, root) - matrix) <= 1e-12);
    CHECK(largest(root - transpose(root, 0, 1)) <= 1e-12);
  }
}

TEST_CASE("symmetric_eigen: refuses what it cannot do") {
  CHECK(message_of([] {
          symmetric_eigen(zeros({2, 3}, DType::f64));
        }) == "symmetric_eigen: matrix must be square; f64[2, 3]");
  CHECK(message_of([] { symmetric_eigen(zeros({2, 2})); }) == "symmetric_eigen: matrix must be f64; f32[2, 2]");
  CHECK(message_of([] {
          symmetric_eigen(full({2, 2}, NAN, DType::f64));
        }) == "symmetric_eigen: element [0, 0] is not finite; f64[2, 2]");
}
