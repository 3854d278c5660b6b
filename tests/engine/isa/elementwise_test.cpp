#include <doctest/doctest.h>

#include <cstring>
#include <iterator>
#include <limits>
#include <vector>

#include "engine/isa/kernels.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// Random values of every magnitude, with what breaks approximations planted among them.
std::vector<float> hard_values(int64_t count, uint64_t seed) {
  const std::vector<double> x = random_tensor({count}, seed).to_vector<double>();
  const float special[] = {0.0f,
                           -0.0f,
                           std::numeric_limits<float>::infinity(),
                           -std::numeric_limits<float>::infinity(),
                           1e6f,
                           -1e6f,
                           std::numeric_limits<float>::quiet_NaN(),
                           1e-45f,
                           -1e-39f,
                           1e30f,
                           88.7f,
                           -104.5f};
  std::vector<float> values(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const double scales[] = {1, 30, 1e-3, 1e5};
    values[i] = float(x[i] * scales[i % 4]);
    if (i % 7 == 3) values[i] = special[(i / 7 + seed) % std::size(special)];
  }
  return values;
}

/// Same bits, or both NaN: which NaN comes out of two is the processor's choice.
bool same(const std::vector<float>& a, const std::vector<float>& b) {
  for (size_t i = 0; i < a.size(); ++i)
    if (std::memcmp(&a[i], &b[i], sizeof(float)) != 0 && !(a[i] != a[i] && b[i] != b[i])) return false;
  return true;
}

/// run(table, out) with the tables of both sets on outputs of `count` and a sentinel behind.
template <class Run>
bool agree(const Kernels& one, const Kernels& other, int64_t count, Run run) {
  std::vector<float> a(size_t(count) + 1, 42.0f), b = a;
  run(one.elementwise, a.data());
  run(other.elementwise, b.data());
  return same(a, b) && a.back() == 42.0f;
}

}  // namespace

TEST_CASE("kernels: every elementwise row gives the same bits in every instruction set, for every remainder") {
  const Kernels& portable = *find_kernels("portable");
  for (const char* name : {"avx2", "avx512"}) {
    const Kernels* variant = find_kernels(name);
    if (!variant) {
      MESSAGE("skipped: this processor or build lacks " << name);
      continue;
    }
    CAPTURE(name);
    for (int64_t n = 1; n <= 67; ++n) {
      const std::vector<float> x = hard_values(n, 1), y = hard_values(n, 2), z = hard_values(n, 3);
      CAPTURE(n);
      for (int op = 0; op < kUnaryOps; ++op) {
        CAPTURE(op);
        CHECK(agree(portable, *variant, n,
                    [&](const ElementwiseKernels& table, float* out) { table.unary[op](x.data(), out, n); }));
        if (!portable.elementwise.unary_backward[op]) continue;
        CHECK(agree(portable, *variant, n, [&](const ElementwiseKernels& table, float* out) {
          table.unary_backward[op](x.data(), y.data(), out, n);
        }));
      }
      for (int op = 0; op < kBinaryOps; ++op) {
        CAPTURE(op);
        for (int form = 0; form < 3; ++form)
          CHECK(agree(portable, *variant, n, [&](const ElementwiseKernels& table, float* out) {
            const BinaryRows<float>& rows = table.binary[op];
            (form == 0 ? rows.both : form == 1 ? rows.scalar_left : rows.scalar_right)(x.data(), y.data(), out, n);
          }));
      }
      for (int op = 0; op < kTernaryOps; ++op) {
        CAPTURE(op);
        for (auto form : {&TernaryRows<float>::all, &TernaryRows<float>::scalar_c, &TernaryRows<float>::scalars_b_c}) {
          if (!(portable.elementwise.ternary[op].*form)) continue;
          CHECK(agree(portable, *variant, n, [&](const ElementwiseKernels& table, float* out) {
            (table.ternary[op].*form)(x.data(), y.data(), z.data(), out, n);
          }));
        }
      }
    }
  }
}

TEST_CASE("kernels: rows may write over their own input") {
  for (const char* name : {"portable", "avx2", "avx512"}) {
    const Kernels* variant = find_kernels(name);
    if (!variant) continue;
    const std::vector<float> x = hard_values(61, 4);
    for (int op = 0; op < kUnaryOps; ++op) {
      std::vector<float> apart(x.size()), over = x;
      variant->elementwise.unary[op](x.data(), apart.data(), 61);
      variant->elementwise.unary[op](over.data(), over.data(), 61);
      CAPTURE(op);
      CHECK(same(apart, over));
    }
  }
}

TEST_CASE("kernels: a set that does not exist is not found") {
  CHECK(find_kernels("sse9") == nullptr);
  CHECK(find_kernels(isa_name()) == &kernels());
}
