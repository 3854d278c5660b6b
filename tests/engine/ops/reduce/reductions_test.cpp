// Every reduction against one naive reference: gather the elements of each output in row-major order, apply a formula
// in long double. The known values and peculiarities of each op are in its own file.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "engine/ops/reduce/any_all.h"
#include "engine/ops/reduce/extremum.h"
#include "engine/ops/reduce/logsumexp.h"
#include "engine/ops/reduce/prod.h"
#include "engine/ops/reduce/sum.h"
#include "engine/ops/reduce/variance.h"
#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

using Values = std::vector<double>;
using Formula = std::function<double(const Values&)>;

Values naive_reduce(const Tensor& x, DimMask mask, const Formula& formula) {
  const Shape kept = reduced_shape(x.shape(), mask, true);
  const Strides strides = contiguous_strides(kept);
  std::vector<Values> groups(size_t(numel(kept)));
  const Values values = x.to_vector<double>();
  for (int64_t i = 0; i < x.numel(); ++i) {
    int64_t rest = i, output = 0;
    for (int64_t d = x.rank() - 1; d >= 0; --d) {
      if (!(mask >> d & 1)) output += rest % x.shape()[d] * strides[d];
      rest /= x.shape()[d];
    }
    groups[size_t(output)].push_back(values[size_t(i)]);
  }
  Values out;
  for (const Values& group : groups) out.push_back(formula(group));
  return out;
}

double variance_of(const Values& v, double correction) {
  long double mean = 0, squares = 0;
  for (double x : v) mean += x;
  mean /= v.size();
  for (double x : v) squares += (x - mean) * (x - mean);
  return double(squares / (v.size() - correction));
}

double product_of(const Values& v) {
  long double product = 1;
  for (double x : v) product *= x;
  return double(product);
}

double log_sum_exp_of(const Values& v) {
  long double total = 0;
  for (double x : v) total += std::exp((long double)x);
  return double(std::log(total));
}

struct Case {
  const char* name;
  std::function<Tensor(const Tensor&, const Dims&, bool)> op;
  Formula formula;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all_cases = {
      {"max", [](auto& x, auto& d, bool k) { return max(x, d, k); },
       [](const Values& v) { return *std::max_element(v.begin(), v.end()); }},
      {"min", [](auto& x, auto& d, bool k) { return min(x, d, k); },
       [](const Values& v) { return *std::min_element(v.begin(), v.end()); }},
      {"var", [](auto& x, auto& d, bool k) { return var(x, d, 1, k); },
       [](const Values& v) { return variance_of(v, 1); }},
      {"std", [](auto& x, auto& d, bool k) { return stddev(x, d, 0, k); },
       [](const Values& v) { return std::sqrt(variance_of(v, 0)); }},
      {"prod", [](auto& x, auto& d, bool k) { return prod(x, d, k); }, product_of},
      {"logsumexp", [](auto& x, auto& d, bool k) { return logsumexp(x, d, k); }, log_sum_exp_of},
      {"any", [](auto& x, auto& d, bool k) { return any(x, d, k); },
       [](const Values& v) { return std::any_of(v.begin(), v.end(), [](double x) { return x != 0; }); }},
      {"all", [](auto& x, auto& d, bool k) { return all(x, d, k); },
       [](const Values& v) { return std::all_of(v.begin(), v.end(), [](double x) { return x != 0; }); }},
  };
  return all_cases;
}

Dims dims_of(DimMask mask, int64_t rank) {
  Dims dims;
  for (int64_t d = 0; d < rank; ++d)
    if (mask >> d & 1) dims.push_back(d - rank);
  return dims;
}

}  // namespace

TEST_CASE("reductions: every subset of dims agrees with the naive formula for every memory layout") {
  // The shapes reach: short and long rows, blocks that cross runs, narrow and wide tiles, several row blocks.
  for (const Shape& shape : {Shape{3, 5, 2, 7}, Shape{2, 17, 1, 40}, Shape{20, 3, 33, 9}, Shape{2, 2100, 3, 2}}) {
    const Tensor x = random_tensor(shape);
    for (const Case& test : cases())
      for (const Tensor& layout : {x, reversed_memory(x), with_gaps(x)})
        for (DimMask mask = 1; mask < 16; ++mask) {
          if (reduced_count(shape, mask) == 1 && std::string(test.name) == "var") continue;  // 0 / 0, tested apart
          CAPTURE(test.name);
          CAPTURE(mask);
          const Tensor y = test.op(layout, dims_of(mask, 4), mask & 1);
          CHECK(y.shape() == reduced_shape(shape, mask, mask & 1));
          CHECK(worst_error(y, naive_reduce(x, mask, test.formula)) <= 1e-12);
        }
  }
}

TEST_CASE("reductions: f32, bf16 and f16 agree with the formula on the rounded inputs") {
  for (DType dtype : {DType::f32, DType::bf16, DType::f16}) {
    const Tensor x = random_tensor({6, 50}, 2, dtype);
    // One rounding to the dtype, and those of Acc<T> before it.
    const double tolerance = dtype == DType::f32 ? 2e-6 : dtype == DType::f16 ? 1e-3 : 8e-3;
    for (const Case& test : cases())
      for (DimMask mask : {1u, 2u, 3u}) {
        CAPTURE(test.name);
        CHECK(worst_error(test.op(x, dims_of(mask, 2), false), naive_reduce(x, mask, test.formula)) <= tolerance);
      }
    CHECK(max(x).dtype() == dtype);
    CHECK(var(x).dtype() == dtype);
    CHECK(any(x).dtype() == DType::boolean);
  }
}

TEST_CASE("reductions: the number of threads does not change the bits") {
  const Tensor x = random_tensor({700, 300}, 3, DType::f32);
  std::string first;
  for (int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    std::string bits;
    for (const Case& test : cases())
      for (const Tensor& layout : {x, reversed_memory(x)})
        for (const Dims& dims : {Dims{}, Dims{0}, Dims{1}}) bits += bits_of(test.op(layout, dims, false));
    if (first.empty()) first = bits;
    CHECK((bits == first));
  }
  set_num_threads(2);
}

TEST_CASE("reductions: an empty input gives the neutral element, and no output stays no output") {
  const Tensor none = zeros({0});
  CHECK(prod(none).item() == 1);
  CHECK(any(none).item() == 0);
  CHECK(all(none).item() == 1);
  CHECK(logsumexp(none).item() == -std::numeric_limits<double>::infinity());
  CHECK(std::isnan(var(none).item()));
  CHECK(message_of([&] { max(none); }) == "max: needs an element to choose from (0); f32[0]");
  CHECK(message_of([&] { argmin(zeros({2, 0}), 1); }) == "argmin: needs an element to choose from (0); f32[2, 0]");
  for (const Case& test : cases()) {
    CHECK(test.op(zeros({0, 3}), {1}, false).shape() == Shape{0});
    CHECK(test.op(zeros({3, 0, 2}), {0, 2}, true).shape() == Shape{1, 0, 1});
  }
}

TEST_CASE("reductions: error texts name the op") {
  for (const Case& test : cases()) {
    CHECK(message_of([&] { test.op(zeros({2}), {1}, false); }) ==
          std::string(test.name) + ": dim must be in [-1, 0] (1)");
    CHECK(message_of([&] {
            test.op(zeros({2, 2}), {1, -1}, false);
          }) == std::string(test.name) + ": a dim may be listed once ([1, -1]); f32[2, 2]");
  }
  CHECK(message_of([] { var(zeros({2}, DType::i64)); }) == "var: input must be floating; i64[2]");
  CHECK(message_of([] { logsumexp(zeros({2}, DType::u8)); }) == "logsumexp: input must be floating; u8[2]");
}
