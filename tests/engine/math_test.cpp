#include "engine/math.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <vector>

#include "engine/math_normal.h"

using namespace plumb;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// |got - exact| in units of the float spacing at `exact`.
double ulps(float got, double exact) {
  if (std::isnan(got) || std::isnan(exact)) return std::isnan(got) && std::isnan(exact) ? 0 : 1e30;
  if (std::abs(exact) > double(std::numeric_limits<float>::max()))
    return std::isinf(got) && (got > 0) == (exact > 0) ? 0 : 1e30;
  int exponent = 0;
  std::frexp(exact, &exponent);
  return std::abs(double(got) - exact) / std::ldexp(1.0, std::max(exponent - 24, -149));
}

struct Worst {
  double error = 0;
  float at = 0;
};

/// Every 97th float in [low, high], negative ones too: all exponents, mantissas spread.
Worst worst_over(float (*f)(float), double (*exact)(double), float low, float high) {
  Worst worst;
  auto visit = [&](float x) {
    if (!(x >= low && x <= high)) return;
    const double error = ulps(f(x), exact(double(x)));
    if (!(error <= worst.error)) worst = {error, x};
  };
  for (uint64_t bits = 0; bits < 0x7f800000u; bits += 97) {
    visit(math::float_of(uint32_t(bits)));
    visit(math::float_of(uint32_t(bits) | 0x80000000u));
  }
  return worst;
}

void check_accuracy(const char* name, float (*f)(float), double (*exact)(double), float low, float high, double bound) {
  const Worst worst = worst_over(f, exact, low, high);
  CAPTURE(name);
  CAPTURE(worst.at);
  CAPTURE(worst.error);
  CHECK(worst.error <= bound);
  CHECK(worst.error > 0.4);  // the measure itself works: half a unit is what rounding alone costs
}

double exact_sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

TEST_CASE("math: float functions stay within the documented distance of the exact value") {
  check_accuracy("exp", math::exp, std::exp, -kInf, kInf, 1.1);
  check_accuracy("expm1", math::expm1, std::expm1, -kInf, kInf, 1.7);
  check_accuracy("log", math::log, std::log, 0, kInf, 1.1);
  check_accuracy("log1p", math::log1p, std::log1p, -1, kInf, 1.6);
  check_accuracy("tanh", math::tanh, std::tanh, -kInf, kInf, 1.7);
  check_accuracy("sigmoid", math::sigmoid, exact_sigmoid, -88, kInf, 2.4);
  check_accuracy("erf", math::erf, std::erf, -kInf, kInf, 1.4);
  check_accuracy("sin", math::sin, std::sin, -math::kTrigLimit, math::kTrigLimit, 1.5);
  check_accuracy("cos", math::cos, std::cos, -math::kTrigLimit, math::kTrigLimit, 1.5);
}

TEST_CASE("math: the normal distribution function, absolutely and in its lower tail, and its density") {
  double worst = 0, worst_scaled = 0, worst_tail = 0, worst_density = 0;
  for (int64_t i = -1400000; i <= 1400000; ++i) {
    const float x = float(i) * 1e-5f;
    const double exact = 0.5 * std::erfc(double(x) * -M_SQRT1_2), bell = std::exp(-0.5 * double(x) * double(x));
    const math::Normal<float> got = math::normal(x);
    worst = std::max(worst, std::abs(double(got.below) - exact));
    worst_scaled = std::max(worst_scaled, std::abs(double(x) * (double(got.below) - exact)) / std::max(1.0, double(x)));
    if (x > -3) worst_tail = std::max(worst_tail, std::abs(double(got.below) / exact - 1));
    worst_density = std::max(worst_density, std::abs(double(got.density) - bell / std::sqrt(2 * M_PI)));
  }
  CAPTURE(worst);
  CAPTURE(worst_scaled);
  CAPTURE(worst_tail);
  CAPTURE(worst_density);
  CHECK(worst <= 1.7e-7);
  CHECK(worst_scaled <= 8.2e-8);
  CHECK(worst_tail <= 5.4e-7);
  CHECK(worst_density <= 4.3e-8);
  CHECK(math::normal(kInf).below == 1);
  CHECK(math::normal(-kInf).below == 0);
  CHECK(math::normal(1e30f).density == 0);
  CHECK(std::isnan(math::normal(kNan).below));
  CHECK(std::isnan(math::normal(kNan).density));
  CHECK(math::normal(0.0f).below == doctest::Approx(0.5).epsilon(1e-7));
}

TEST_CASE("math: exp_nonpositive is exp down to e^-87, and zero below") {
  for (float x = 0; x >= -87; x -= 0.001f) REQUIRE(math::exp_nonpositive(x) == math::exp(x));
  for (float x : {-87.01f, -100.0f, -1e30f, -kInf}) CHECK(math::exp_nonpositive(x) == 0);
  CHECK(std::isnan(math::exp_nonpositive(kNan)));
}

TEST_CASE("math: infinities, NaN, zeros and out-of-range arguments give what the C library gives") {
  const std::vector<float> special = {0.0f,  -0.0f,   kInf,  -kInf,  kNan,   1e-45f, -1e-45f, 1e-39f, 1.0f, -1.0f,
                                      89.0f, -110.0f, 1e38f, -1e38f, 88.72f, 3e-8f,  -3e-8f,  0.5f,   -2.0f};
  struct Pair {
    float (*ours)(float);
    float (*theirs)(float);
  };
  const Pair pairs[] = {
      {math::exp, std::exp},
      {math::expm1, std::expm1},
      {math::log, std::log},
      {math::log1p, std::log1p},
      {math::tanh, std::tanh},
      {math::erf, std::erf},
      {math::sqrt, std::sqrt},
      {math::floor, std::floor},
      {math::ceil, std::ceil},
      {math::abs, std::abs},
      {math::round_even, std::nearbyint},
  };
  for (size_t p = 0; p < std::size(pairs); ++p)
    for (float x : special) {
      const float got = pairs[p].ours(x), want = pairs[p].theirs(x);
      CAPTURE(p);
      CAPTURE(x);
      if (std::isnan(want)) {
        CHECK(std::isnan(got));
      } else {
        CHECK(ulps(got, double(want)) <= 2.5);
        CHECK(std::signbit(got) == std::signbit(want));
      }
    }
}

TEST_CASE("math: rounding functions are exact on halves, large values and the edges of the float format") {
  for (float x : {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 0.49999997f, -0.49999997f, 8388607.5f, 8388608.0f, -8388607.5f,
                  16777216.0f, 3e38f, -3e38f, 4194303.5f, 0.3f, -0.3f, -0.7f}) {
    CAPTURE(x);
    CHECK(math::bits_of(math::round_even(x)) == math::bits_of(std::nearbyint(x)));
    CHECK(math::bits_of(math::floor(x)) == math::bits_of(std::floor(x)));
    CHECK(math::bits_of(math::ceil(x)) == math::bits_of(std::ceil(x)));
  }
}
