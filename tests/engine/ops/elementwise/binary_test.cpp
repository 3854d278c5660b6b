#include "engine/ops/elementwise/binary.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "engine/error.h"
#include "engine/loops.h"
#include "engine/ops/elementwise/compare.h"
#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Case {
  const char* name;
  Tensor (*op)(const Tensor&, const Tensor&);
  double (*reference)(double, double);
};

const Case kCases[] = {
    {"add", add, [](double a, double b) { return a - (-b); }},
    {"sub", sub, [](double a, double b) { return -(b - a); }},
    {"mul", mul, [](double a, double b) { return a / (1 / b); }},
    {"div", div, [](double a, double b) { return a * (1 / b); }},
    {"maximum", maximum, [](double a, double b) { return std::fmax(a, b); }},
    {"minimum", minimum, [](double a, double b) { return std::fmin(a, b); }},
    {"eq", eq, [](double a, double b) { return double(!(a < b || a > b)); }},
    {"ne", ne, [](double a, double b) { return double(a < b || a > b); }},
    {"lt", lt, [](double a, double b) { return double(std::signbit(a - b)); }},
    {"ge", ge, [](double a, double b) { return double(!std::signbit(a - b)); }},
    {"gt", gt, [](double a, double b) { return double(std::signbit(b - a)); }},
    {"le", le, [](double a, double b) { return double(!std::signbit(b - a)); }},
    {"logical_and", logical_and, [](double a, double b) { return double(a * b != 0); }},
    {"logical_or", logical_or, [](double a, double b) { return double(a * a + b * b != 0); }},
};

/// The reference element by element over the broadcast shape, by index arithmetic written out here.
std::vector<double> expected(const Case& c, const Tensor& a, const Tensor& b, const Shape& shape) {
  const std::vector<double> va = a.to_vector<double>(), vb = b.to_vector<double>();
  std::vector<double> out(static_cast<size_t>(numel(shape)));
  for (size_t flat = 0; flat < out.size(); ++flat) {
    size_t rest = flat, ia = 0, ib = 0, sa = 1, sb = 1;
    for (int64_t back = 0; back < shape.rank(); ++back) {
      const size_t index = rest % size_t(shape.back(back));
      rest /= size_t(shape.back(back));
      if (back < a.rank()) ia += (a.shape().back(back) == 1 ? 0 : index) * sa, sa *= size_t(a.shape().back(back));
      if (back < b.rank()) ib += (b.shape().back(back) == 1 ? 0 : index) * sb, sb *= size_t(b.shape().back(back));
    }
    out[flat] = c.reference(va[ia], vb[ib]);
  }
  return out;
}

/// Whole numbers, so that equality happens; b never 0, so that division is exact enough in every type.
Tensor whole(const Shape& shape, uint64_t seed) {
  Tensor x = random_tensor(shape, seed);
  double* values = x.mutable_data<double>();
  for (int64_t i = 0; i < x.numel(); ++i) values[i] = std::floor(values[i]) + 0.5;
  return mul(x, 2);  // odd numbers: -3, -1, 1, 3
}

}  // namespace

TEST_CASE("binary ops: agree with an independent reference on broadcast shapes, types and layouts") {
  const std::pair<Shape, Shape> shapes[] = {
      {{}, {}},
      {{5}, {}},
      {{}, {3, 2}},
      {{3, 4}, {3, 4}},
      {{3, 4}, {4}},
      {{3, 1}, {3, 4}},
      {{3, 1}, {1, 4}},
      {{2, 1, 3}, {4, 1}},
      {{0, 3}, {3}},
      {{1}, {2, 3}},
      {{9, 40}, {40}},
      {{9, 40}, {9, 1}},
      {{40, 2}, {2}},
      {{40, 2}, {40, 1}},
      {{2, 3, 4, 5}, {1, 3, 1, 1}},
      {{700}, {1}},
      {{1, 1}, {30, 1, 30}},
  };
  for (const Case& c : kCases)
    for (const auto& [left, right] : shapes) {
      CAPTURE(c.name);
      CAPTURE(left.rank());
      const Tensor a = whole(left, 1), b = whole(right, 2);
      const Shape shape = broadcast_shapes("test", left, right);
      const std::vector<double> want = expected(c, a, b, shape);
      for (DType dtype : {DType::f64, DType::f32, DType::bf16, DType::f16, DType::i64, DType::i32}) {
        if (c.op == static_cast<Tensor (*)(const Tensor&, const Tensor&)>(div) && !is_floating(dtype)) continue;
        const Tensor ta = a.to(dtype), tb = b.to(dtype);
        const Tensor out = c.op(ta, tb);
        CHECK(out.shape() == shape);
        const double tolerance = dtype == DType::bf16 ? 0x1p-9 : 0x1p-12;  // 1/3 is rounded once
        CHECK(worst_error(out, want) <= tolerance);
        CHECK(worst_error(c.op(reversed_memory(ta), tb), want) <= tolerance);
        CHECK(worst_error(c.op(ta, with_gaps(tb)), want) <= tolerance);
      }
    }
}

TEST_CASE("binary ops: a scalar counts as a tensor of one element, on either side") {
  for (DType dtype : {DType::f64, DType::f32, DType::i64}) {
    const Tensor x = whole({3, 5}, 3).to(dtype), two = scalar(2, dtype);
    CHECK(bits_of(x + 2) == bits_of(x + two));
    CHECK(bits_of(2 + x) == bits_of(two + x));
    CHECK(bits_of(x - 2) == bits_of(x - two));
    CHECK(bits_of(2 - x) == bits_of(two - x));
    CHECK(bits_of(x * 2) == bits_of(x * two));
    CHECK(bits_of(maximum(x, 2)) == bits_of(maximum(x, two)));
    CHECK(bits_of(lt(x, 2)) == bits_of(lt(x, two)));
    if (!is_floating(dtype)) continue;
    CHECK(bits_of(x / 2) == bits_of(x / two));
    CHECK(bits_of(2 / x) == bits_of(two / x));
    CHECK(bits_of(add_scaled(x, two, 0.5)) == bits_of(x + 1));
  }
  // 1 + 2^-9 is not a bf16 number: rounding it first would give 256, not 256.5 -> 256; 3 * (1 + 2^-9) tells.
  const Tensor three = full({1}, 200, DType::bf16);
  CHECK(mul(three, 1 + 0x1p-9).item() == 200);
  CHECK(mul(full({1}, 192, DType::bf16), 1 + 0x1.8p-8).item() == 193);
}

TEST_CASE("pow: special exponents, tensors and signs") {
  const Tensor x = from_vector<double>({0.5, 2, 3, -2, 0}, {5});
  for (DType dtype : {DType::f64, DType::f32}) {
    const Tensor t = x.to(dtype);
    for (double e : {2.0, 1.0, 3.0, -1.0, 0.0, 0.5, -0.5, 2.5}) {
      std::vector<double> want = x.to_vector<double>();
      for (double& value : want) value = std::pow(value, e);
      CAPTURE(e);
      CHECK(worst_error(pow(t, e), want) <= 1e-6);
      CHECK(worst_error(pow(t, scalar(e, dtype)), want) <= 1e-6);
    }
  }
}

TEST_CASE("maximum, minimum: NaN on either side comes through") {
  for (DType dtype : {DType::f64, DType::f32, DType::bf16}) {
    const Tensor a = from_vector<double>({kNan, 1, kInf}, {3}).to(dtype),
                 b = from_vector<double>({1, kNan, 2}, {3}).to(dtype);
    for (auto op : {static_cast<Tensor (*)(const Tensor&, const Tensor&)>(maximum),
                    static_cast<Tensor (*)(const Tensor&, const Tensor&)>(minimum)}) {
      CHECK(std::isnan(op(a, b).to_vector<double>()[0]));
      CHECK(std::isnan(op(a, b).to_vector<double>()[1]));
      CHECK(!std::isnan(op(a, b).to_vector<double>()[2]));
    }
  }
}

TEST_CASE("binary ops: integers wrap and keep 64 bits") {
  const Tensor big = from_vector<int64_t>({(int64_t(1) << 62) + 1}, {1});
  CHECK(add(big, 1).item<int64_t>() == doctest::Approx(double((int64_t(1) << 62) + 2)));
  CHECK(add(big, big).to_vector<int64_t>()[0] == std::numeric_limits<int64_t>::min() + 2);
  CHECK(eq(big, add(big, 1)).item() == 0);
  CHECK(add(full({1}, 250, DType::u8), 10).item() == 4);
  CHECK(mul(full({1}, 70000, DType::i32), 70000).item() == double(int32_t(uint32_t(70000) * uint32_t(70000))));
}

TEST_CASE("binary ops: an expanded operand is read where it lies") {
  const Tensor one = full({1}, 3);
  const Tensor wide = one.view_as({4, 50}, {0, 0}, 0), x = random_tensor({4, 50}, 6, DType::f32);
  CHECK(bits_of(mul(wide, x)) == bits_of(mul(x, 3)));
  CHECK(bits_of(add(wide, wide)) == bits_of(full({4, 50}, 6)));
}

TEST_CASE("binary ops: same bits for 1, 2, 3 and 8 threads") {
  const Tensor a = random_tensor({700, 150}, 7, DType::f32), b = random_tensor({700, 1}, 8, DType::f32);
  const int before = num_threads();
  std::string first;
  for (int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    const std::string bits = bits_of(mul(a, b)) + bits_of(div(reversed_memory(a), a));
    if (first.empty()) first = bits;
    CHECK(bits == first);
  }
  set_num_threads(before);
}

TEST_CASE("binary ops: the result follows the first operand of its shape in memory order") {
  const Tensor last = empty({2, 4, 5, 3}).view_as({2, 3, 4, 5}, {60, 1, 15, 3}, 0);
  Tensor(last).copy_(random_tensor({2, 3, 4, 5}, 9, DType::f32));
  CHECK(add(last, random_tensor({2, 3, 4, 5}, 10, DType::f32)).is_channels_last());
  CHECK(add(random_tensor({3, 1, 1}, 10, DType::f32), last).is_channels_last());
  CHECK(!add(last.contiguous(), last).is_channels_last());
}

TEST_CASE("binary ops: reject operands that do not fit") {
  CHECK_THROWS_WITH_AS(add(zeros({2, 3}), zeros({4})), "add: shapes do not broadcast; [2, 3] and [4]", ShapeError);
  CHECK_THROWS_WITH_AS(mul(zeros({2}), zeros({2}, DType::f64)),
                       "mul: operands must have one dtype, convert with to(); f32[2] and f64[2]", DTypeError);
  CHECK_THROWS_WITH_AS(div(zeros({2}, DType::i64), zeros({2}, DType::i64)),
                       "div: takes floating tensors, convert with to(); i64[2]", DTypeError);
  CHECK_THROWS_WITH_AS(add(zeros({2}, DType::boolean), zeros({2}, DType::boolean)),
                       "add: does not take bool; bool[2] and bool[2]", DTypeError);
  CHECK_THROWS_WITH_AS(add(zeros({2}, DType::i64), 0.5),
                       "add: a scalar for an integer tensor must be a whole number (0.5); i64[2]", ValueError);
  CHECK_THROWS_WITH_AS(add(Tensor(), zeros({2})), "add: operands must be defined; undefined and f32[2]", ValueError);
}
