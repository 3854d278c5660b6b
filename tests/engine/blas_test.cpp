#include "engine/blas.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("blas: runs on kernels that fit the processor") {
  const std::string name = blas_core_name();
  CAPTURE(name);
  // A library built for several processors must not stay on its oldest kernels where newer ones would run.
#if defined(__x86_64__)
  if (!std::getenv("OPENBLAS_CORETYPE") && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    CHECK(name != "Prescott");
#endif
  CHECK(!name.empty());
}

TEST_CASE_TEMPLATE("blas: transposes, leading dimensions, bias", T, float, double) {
  // Matrices sit in larger ones, surrounded by sentinels that must survive.
  const int64_t m = 3, n = 4, k = 5, ld = 9;
  const std::vector<T> a = random_tensor({ld * ld}, 1).template to_vector<T>();
  const std::vector<T> b = random_tensor({ld * ld}, 2).template to_vector<T>();
  const std::vector<T> start = random_tensor({ld * ld}, 3).template to_vector<T>();
  const std::vector<T> bias = random_tensor({n}, 4).template to_vector<T>();
  for (const bool turn_a : {false, true})
    for (const bool turn_b : {false, true})
      for (const T* offset : {static_cast<const T*>(nullptr), bias.data()}) {
        std::vector<T> c = start;
        blas_gemm<T>({m, n, k}, {a.data(), ld, turn_a}, {b.data(), ld, turn_b},
                     {.data = c.data(), .ld = ld, .bias = offset});
        for (int64_t i = 0; i < ld; ++i)
          for (int64_t j = 0; j < ld; ++j) {
            double expected = double(start[size_t(i * ld + j)]);
            if (i < m && j < n) {
              expected = offset ? double(bias[size_t(j)]) : 0;
              for (int64_t p = 0; p < k; ++p)
                expected += double(a[size_t(turn_a ? p * ld + i : i * ld + p)]) *
                            double(b[size_t(turn_b ? j * ld + p : p * ld + j)]);
            }
            CHECK(relative_error(double(c[size_t(i * ld + j)]), expected) < (sizeof(T) == 4 ? 1e-5 : 1e-14));
          }
      }
}

TEST_CASE("blas: what was in c is not read, the bias starts every row, depth 0 gives nothing but that") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> ones(64, 1), bias{1, 2, 3};
  std::vector<float> c(6, nan);
  blas_gemm<float>({2, 3, 4}, {ones.data(), 4}, {ones.data(), 3}, {.data = c.data(), .ld = 3});
  CHECK(c == std::vector<float>(6, 4));
  c.assign(6, nan);
  blas_gemm<float>({2, 3, 4}, {ones.data(), 4}, {ones.data(), 3}, {.data = c.data(), .ld = 3, .bias = bias.data()});
  CHECK(c == std::vector<float>{5, 6, 7, 5, 6, 7});
  c.assign(6, nan);
  blas_gemm<float>({2, 3, 0}, {ones.data(), 1}, {ones.data(), 3}, {.data = c.data(), .ld = 3, .bias = bias.data()});
  CHECK(c == std::vector<float>{1, 2, 3, 1, 2, 3});
  c.assign(6, nan);
  blas_gemm<float>({2, 3, 0}, {ones.data(), 1}, {ones.data(), 3}, {.data = c.data(), .ld = 3});
  CHECK(c == std::vector<float>(6, 0));
}
