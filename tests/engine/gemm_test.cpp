#include "engine/gemm.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "engine/blas.h"
#include "engine/isa/kernels.h"
#include "engine/packed_gemm.h"
#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// A product with operands that sit in larger matrices.
struct Problem {
  GemmSize size;
  bool turn_a = false, turn_b = false;
  int64_t lda = 0, ldb = 0, ldc = 0;
  std::vector<float> a = {}, b = {}, bias = {};
};

constexpr float kSentinel = 7;

Problem make_problem(const GemmSize& s, bool turn_a, bool turn_b, uint64_t seed, int64_t extra) {
  Problem p{.size = s, .turn_a = turn_a, .turn_b = turn_b};
  p.lda = (turn_a ? s.m : s.k) + extra;
  p.ldb = (turn_b ? s.k : s.n) + extra;
  p.ldc = s.n + extra;
  p.a = random_tensor({(turn_a ? s.k : s.m) * p.lda}, seed).to_vector<float>();
  p.b = random_tensor({(turn_b ? s.n : s.k) * p.ldb}, seed + 1).to_vector<float>();
  p.bias = random_tensor({s.n}, seed + 2).to_vector<float>();
  return p;
}

std::vector<float> run_packed(const Kernels& isa, const Problem& p, bool with_bias = true) {
  std::vector<float> c(size_t(p.size.m * p.ldc), kSentinel);
  packed_gemm(isa.gemm, p.size, {p.a.data(), p.lda, p.turn_a}, {p.b.data(), p.ldb, p.turn_b},
              {.data = c.data(), .ld = p.ldc, .bias = with_bias ? p.bias.data() : nullptr});
  return c;
}

/// The portable path.
std::vector<float> run_blas(const Problem& p, bool with_bias) {
  std::vector<float> c(size_t(p.size.m * p.ldc), kSentinel);
  blas_gemm<float>(p.size, {p.a.data(), p.lda, p.turn_a}, {p.b.data(), p.ldb, p.turn_b},
                   {.data = c.data(), .ld = p.ldc, .bias = with_bias ? p.bias.data() : nullptr});
  return c;
}

/// Largest error of c over the rounding error that the terms' sizes allow; sentinels must be untouched.
double worst_error(const Problem& p, const std::vector<float>& c, bool with_bias) {
  double worst = 0;
  for (int64_t i = 0; i < p.size.m; ++i)
    for (int64_t j = 0; j < p.ldc; ++j) {
      const double got = double(c[size_t(i * p.ldc + j)]);
      if (j >= p.size.n) {
        if (got != double(kSentinel)) return std::numeric_limits<double>::infinity();
        continue;
      }
      double sum = with_bias ? double(p.bias[size_t(j)]) : 0, magnitude = std::abs(sum);
      for (int64_t k = 0; k < p.size.k; ++k) {
        const double term = double(p.a[size_t(p.turn_a ? k * p.lda + i : i * p.lda + k)]) *
                            double(p.b[size_t(p.turn_b ? j * p.ldb + k : k * p.ldb + j)]);
        sum += term;
        magnitude += std::abs(term);
      }
      worst = std::max(worst, std::abs(got - sum) / (1e-30 + magnitude));
    }
  return worst;
}

std::vector<const Kernels*> instruction_sets() {
  std::vector<const Kernels*> found;
  for (const char* name : {"avx2", "avx512"})
    if (const Kernels* isa = find_kernels(name)) found.push_back(isa);
  return found;
}

}  // namespace

TEST_CASE("gemm: packed products of every shape and layout against double") {
  uint64_t seed = 1;
  for (const Kernels* isa : instruction_sets())
    for (const GemmSize& size : {GemmSize{1, 1, 1}, GemmSize{1, 40, 3}, GemmSize{5, 16, 9}, GemmSize{6, 17, 8},
                                 GemmSize{14, 32, 257}, GemmSize{15, 33, 31}, GemmSize{43, 31, 300},
                                 GemmSize{100, 65, 7}, GemmSize{300, 70, 20}, GemmSize{3, 7, 1030}})
      for (const bool turn_a : {false, true})
        for (const bool turn_b : {false, true})
          for (const int64_t extra : {0, 3})
            for (const bool with_bias : {false, true}) {
              const Problem p = make_problem(size, turn_a, turn_b, seed += 3, extra);
              CAPTURE(std::string(isa->name));
              CAPTURE(size.m);
              CAPTURE(size.n);
              CAPTURE(size.k);
              CHECK(worst_error(p, run_packed(*isa, p, with_bias), with_bias) < 5e-7);
              CHECK(worst_error(p, run_blas(p, with_bias), with_bias) < 5e-7);
            }
}

TEST_CASE("gemm: rows that evict each other are packed, with the same result") {
  for (const Kernels* isa : instruction_sets()) {
    Problem p = make_problem({37, 50, 40}, false, false, 5, 0);
    const std::vector<float> close = run_packed(*isa, p);
    std::vector<float> apart(size_t(37 * 512), kSentinel);
    for (int64_t i = 0; i < 37; ++i)
      for (int64_t k = 0; k < 40; ++k) apart[size_t(i * 512 + k)] = p.a[size_t(i * 40 + k)];
    p.a = apart;
    p.lda = 512;
    CHECK(run_packed(*isa, p) == close);
  }
}

TEST_CASE("gemm: the bits of an element depend on its row, its column and the depth alone") {
  // Sizes that give several tasks and strips, beside single rows and other instruction sets.
  const Problem p = make_problem({611, 150, 520}, false, true, 9, 0);
  std::vector<std::vector<float>> results;
  for (const Kernels* isa : instruction_sets()) {
    const int before = num_threads();
    for (const int threads : {1, 2, 3, 8}) {
      set_num_threads(threads);
      results.push_back(run_packed(*isa, p));
    }
    set_num_threads(before);
    Problem row = p;
    row.size.m = 1;
    row.a.assign(p.a.begin() + 600 * p.lda, p.a.begin() + 601 * p.lda);
    const std::vector<float>& all = results.back();
    CHECK(run_packed(*isa, row) == std::vector<float>(all.begin() + 600 * p.ldc, all.begin() + 601 * p.ldc));
  }
  for (const std::vector<float>& result : results) CHECK(result == results.front());
}

TEST_CASE("gemm: NaN and infinity reach exactly the elements they belong to") {
  Problem p = make_problem({20, 40, 20}, false, true, 3, 0);
  p.b[size_t(5 * p.ldb + 7)] = std::numeric_limits<float>::quiet_NaN();  // column 5
  p.a[size_t(4 * p.lda + 1)] = std::numeric_limits<float>::infinity();   // row 4
  for (const Kernels* isa : instruction_sets()) {
    const std::vector<float> c = run_packed(*isa, p);
    for (int64_t i = 0; i < 20; ++i)
      for (int64_t j = 0; j < 40; ++j) CHECK(std::isfinite(c[size_t(i * p.ldc + j)]) == (i != 4 && j != 5));
  }
}

TEST_CASE("gemm: sizes of zero") {
  std::vector<float> c{7, 7, 7, 7, 7, 7};
  const std::vector<float> ones(64, 1), bias{1, 2, 3};
  gemm<float>({0, 3, 4}, {ones.data(), 4}, {ones.data(), 3}, {.data = c.data(), .ld = 3});
  gemm<float>({2, 0, 4}, {ones.data(), 4}, {ones.data(), 1}, {.data = c.data(), .ld = 1});
  CHECK(c == std::vector<float>(6, 7));
  gemm<float>({2, 3, 0}, {ones.data(), 1}, {ones.data(), 3}, {.data = c.data(), .ld = 3, .bias = bias.data()});
  CHECK(c == std::vector<float>{1, 2, 3, 1, 2, 3});
}
