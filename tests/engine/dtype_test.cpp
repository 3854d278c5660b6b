#include "engine/dtype.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "engine/error.h"

using namespace plumb;

namespace {

/// The value of a binary16 pattern from its definition, in double.
double half_value(uint16_t bits) {
  const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
  const double sign = bits & 0x8000 ? -1 : 1;
  if (exponent == 31) return fraction ? NAN : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(double(fraction), -24);
  return sign * std::ldexp(1024.0 + fraction, exponent - 25);
}

}  // namespace

TEST_CASE("f16: every pattern converts to the float of its definition and back") {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    Float16 half;
    half.bits = uint16_t(bits);
    const float value = float(half);
    const double expected = half_value(uint16_t(bits));
    if (std::isnan(expected)) {
      REQUIRE(std::isnan(value));
      REQUIRE(std::isnan(float(Float16(value))));
    } else {
      REQUIRE(double(value) == expected);
      REQUIRE(Float16(value).bits == half.bits);
    }
  }
}

TEST_CASE("f16: rounds halfway cases to even and everything else to the nearer neighbour") {
  // Between neighbours a < b: the middle goes to the even pattern, a hair off it to the near one.
  for (uint32_t bits = 0; bits < 0x7bff; bits += 7) {
    const double a = half_value(uint16_t(bits)), b = half_value(uint16_t(bits + 1));
    const float middle = float((a + b) / 2);
    REQUIRE(Float16(middle).bits == (bits % 2 == 0 ? bits : bits + 1));
    REQUIRE(Float16(std::nextafterf(middle, 0.0f)).bits == bits);
    REQUIRE(Float16(std::nextafterf(middle, 1e9f)).bits == bits + 1);
  }
  CHECK(Float16(65519.0f).bits == 0x7bff);
  CHECK(Float16(65520.0f).bits == 0x7c00);
  CHECK(Float16(-1e30f).bits == 0xfc00);
  CHECK(Float16(std::numeric_limits<float>::denorm_min()).bits == 0);
}

TEST_CASE("bf16: rounds to nearest even, keeps infinities and NaN") {
  for (uint32_t bits = 0x0080; bits < 0x7f7f; bits += 3) {
    const float a = __builtin_bit_cast(float, bits << 16);
    const float middle = __builtin_bit_cast(float, (bits << 16) | 0x8000u);
    REQUIRE(float(BFloat16(a)) == a);
    REQUIRE(BFloat16(middle).bits == (bits % 2 == 0 ? bits : bits + 1));
    REQUIRE(BFloat16(__builtin_bit_cast(float, (bits << 16) | 0x7fffu)).bits == bits);
    REQUIRE(BFloat16(__builtin_bit_cast(float, (bits << 16) | 0x8001u)).bits == bits + 1);
  }
  CHECK(std::isinf(float(BFloat16(INFINITY))));
  CHECK(std::isinf(float(BFloat16(std::numeric_limits<float>::max()))));
  CHECK(std::isnan(float(BFloat16(NAN))));
  CHECK(std::isnan(float(BFloat16(__builtin_bit_cast(float, 0x7f800001u)))));
}

TEST_CASE("visit_dtype: finds the type, or names op and dtype") {
  int64_t bytes = 0;
  visit_dtype(AllTypes{}, DType::i32, "probe", [&]<class T>() { bytes = sizeof(T); });
  CHECK(bytes == 4);
  CHECK_THROWS_WITH_AS(visit_dtype(Floats{}, DType::i64, "softmax", [&]<class T>() {}),
                       "softmax: does not take this element type (i64)", DTypeError);
}
