#pragma once

#include <cstdint>

#include "engine/host_device.h"
#include "engine/math.h"

/// Random bits to numbers: pure functions, compiled for host and device from this one source. Only +, -, *, /, sqrt,
/// shifts and selects, each correctly rounded, so CPU and CUDA give the same bits as long as neither contracts a
/// multiply and an add (-ffp-contract=off, -fmad=false); no libm, no branches, so the loops around them vectorise.

namespace plumb {

/// [0, 1) with 24 bits.
static PLUMB_HOST_DEVICE float uniform_f32(uint32_t bits) { return float(int32_t(bits >> 8)) * 0x1p-24f; }
/// [0, 1) with 53 bits.
static PLUMB_HOST_DEVICE double uniform_f64(uint64_t bits) { return double(int64_t(bits >> 11)) * 0x1p-53; }

/// [0, range) as the high half of bits * range: the probability of a value is off by at most 2^-64 absolute, so the
/// relative bias is range / 2^64. range is at least 1.
static PLUMB_HOST_DEVICE uint64_t bounded(uint64_t bits, uint64_t range) {
#ifdef __CUDA_ARCH__
  return __umul64hi(bits, range);
#else
  __extension__ using Wide = unsigned __int128;
  return uint64_t((Wide(bits) * range) >> 64);
#endif
}

struct NormalPairF32 {
  float cosine, sine;
};
struct NormalPairF64 {
  double cosine, sine;
};

namespace detail {

/// Natural logarithm of x, for normal positive x; relative error below 1.2e-7 (3.4e-16 in double). x = m * 2^e with m
/// in [sqrt(1/2), sqrt(2)), log m = 2 atanh(s), s = (m - 1) / (m + 1).
static PLUMB_HOST_DEVICE float log_f32(float x) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, x);
  const int32_t shifted = int32_t(bits - 0x3F3504F3u);  // 0x3F3504F3 is sqrt(1/2)
  const int32_t exponent = shifted >> 23;
  const float m = __builtin_bit_cast(float, bits - (uint32_t(exponent) << 23));
  const float f = m - 1.0f;
  const float s = f / (m + 1.0f);
  const float z = s * s;
  // 2 atanh(s) = 2 s + s z (2/3 + 2/5 z + 2/7 z^2 + 2/9 z^3 ...); |s| <= 0.1716
  const float tail = z * (0.66666667f + z * (0.4f + z * (0.2857143f + z * 0.23f)));
  const float log_m = f - s * (f - tail);  // 2 s = f - s f
  const float e = float(exponent);
  return e * 0.693359375f + (e * -2.12194440e-4f + log_m);  // ln 2 in two pieces, the first exact times e
}

static PLUMB_HOST_DEVICE double log_f64(double x) {
  const uint64_t bits = __builtin_bit_cast(uint64_t, x);
  const int64_t shifted = int64_t(bits - 0x3FE6A09E667F3BCDu);
  const int64_t exponent = shifted >> 52;
  const double m = __builtin_bit_cast(double, bits - (uint64_t(exponent) << 52));
  const double f = m - 1.0;
  const double s = f / (m + 1.0);
  const double z = s * s;
  double tail = 0;
  // 2 / (2 k + 1) for k = 11 .. 1; the first one left out is below 2^-60 relative
  for (int k = 11; k >= 1; --k) tail = z * (2.0 / (2 * k + 1) + tail);
  const double log_m = f - s * (f - tail);
  const double e = double(exponent);
  return e * 0x1.62e42feep-1 + (e * 0x1.a39ef35793c76p-33 + log_m);
}

/// cos and sin of x in [-pi/4, pi/4]: minimax polynomials in float, Taylor in double.
static PLUMB_HOST_DEVICE float cos_f32(float x) {
  const float z = x * x;
  return 1.0f + z * (-0.5f + z * (0.041666646f + z * (-0.0013887316f + z * 2.4433157e-5f)));
}
static PLUMB_HOST_DEVICE float sin_f32(float x) {
  const float z = x * x;
  return x + x * (z * (-0.16666655f + z * (0.0083321609f + z * -1.9515296e-4f)));
}
static PLUMB_HOST_DEVICE double cos_f64(double x) {
  const double z = x * x;
  double sum = 0;
  for (int k = 18; k >= 2; k -= 2) sum = (1.0 - sum) * z * (1.0 / ((k - 1) * k));
  return 1.0 - sum;
}
static PLUMB_HOST_DEVICE double sin_f64(double x) {
  const double z = x * x;
  double sum = 0;
  for (int k = 19; k >= 3; k -= 2) sum = (1.0 - sum) * z * (1.0 / ((k - 1) * k));
  return x - x * sum;
}

}  // namespace detail

/// radius * (cos, sin) of `turn` / 2^32 turns. The quarter turn is taken off exactly, in integers.
static PLUMB_HOST_DEVICE NormalPairF32 polar_f32(float radius, uint32_t turn) {
  const uint32_t quarter = (turn + 0x20000000u) >> 30;  // nearest; 4 wraps to 0 by the shift of the sum
  const float angle = float(int32_t(turn - (quarter << 30))) * 1.46291807926715969e-9f;  // pi / 2^31
  const float c = detail::cos_f32(angle), s = detail::sin_f32(angle);
  const float x = (quarter & 1u) ? s : c, y = (quarter & 1u) ? c : s;
  const uint32_t flip_x = ((quarter + 1u) & 2u) << 30, flip_y = (quarter & 2u) << 30;
  return {radius * __builtin_bit_cast(float, __builtin_bit_cast(uint32_t, x) ^ flip_x),
          radius * __builtin_bit_cast(float, __builtin_bit_cast(uint32_t, y) ^ flip_y)};
}

static PLUMB_HOST_DEVICE NormalPairF64 polar_f64(double radius, uint64_t turn) {
  const uint64_t quarter = (turn + 0x2000000000000000u) >> 62;
  const double angle = double(int64_t(turn - (quarter << 62))) * 3.40612158008655459e-19;  // pi / 2^63
  const double c = detail::cos_f64(angle), s = detail::sin_f64(angle);
  const double x = (quarter & 1u) ? s : c, y = (quarter & 1u) ? c : s;
  const uint64_t flip_x = ((quarter + 1u) & 2u) << 62, flip_y = (quarter & 2u) << 62;
  return {radius * __builtin_bit_cast(double, __builtin_bit_cast(uint64_t, x) ^ flip_x),
          radius * __builtin_bit_cast(double, __builtin_bit_cast(uint64_t, y) ^ flip_y)};
}

/// Two independent standard normals from 64 bits (Box and Muller 1958): sqrt(-2 ln u) at a uniform angle, u in
/// [2^-32, 1]. The largest magnitude is 6.66.
static PLUMB_HOST_DEVICE NormalPairF32 normal_pair_f32(uint32_t radius_bits, uint32_t turn) {
  const float u = (float(int32_t(radius_bits >> 1)) + 0.5f) * 0x1p-31f;
  return polar_f32(math::sqrt(-2.0f * detail::log_f32(u)), turn);
}

/// The same from 128 bits, u in [2^-64, 1]. The largest magnitude is 9.42.
static PLUMB_HOST_DEVICE NormalPairF64 normal_pair_f64(uint64_t radius_bits, uint64_t turn) {
  const double u = (double(int64_t(radius_bits >> 1)) + 0.5) * 0x1p-63;
  return polar_f64(math::sqrt(-2.0 * detail::log_f64(u)), turn);
}

}  // namespace plumb
