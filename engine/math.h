#pragma once

#include <cstdint>

#include "engine/host_device.h"
#include "engine/math_double.h"

// The scalar functions that kernels apply to every element. The float versions are branch-free (bit casts and selects,
// no calls), so a compiler turns a loop over them into vector code, and each IEEE operation is written out, so scalar,
// AVX2, AVX-512 and CUDA code give the same bits (all are compiled without contraction). The double versions call the
// C library: float64 is for checks.
//
// Float accuracy against the exact value, in units in the last place, measured by tests/engine/math_test.cpp:
//   exp, log 1.1 · erf 1.4 · sin, cos 1.5 · log1p 1.6 · expm1, tanh 1.7 · sigmoid 2.4
// Zero, infinity, NaN and out-of-range arguments give what IEEE 754 and the C library give. Subnormal arguments and
// results are exact to their own spacing unless the processor flushes them (see flush_denormals).
// Polynomials are weighted minimax fits (Lawson iteration) of the Taylor remainders named beside them.

namespace plumb::math {

static PLUMB_HOST_DEVICE uint32_t bits_of(float x) { return __builtin_bit_cast(uint32_t, x); }
static PLUMB_HOST_DEVICE float float_of(uint32_t bits) { return __builtin_bit_cast(float, bits); }
static PLUMB_HOST_DEVICE float abs(float x) { return float_of(bits_of(x) & 0x7fffffffu); }
static PLUMB_HOST_DEVICE float copysign(float magnitude, float sign) {
  return float_of((bits_of(magnitude) & 0x7fffffffu) | (bits_of(sign) & 0x80000000u));
}

/// `limit` where x is beyond it, else x (NaN included). Written with masks: from a plain select the compiler makes a
/// branch that computes the function of the constant, and then no vector code, or vector code that divides three times.
static PLUMB_HOST_DEVICE float at_most(float x, float limit) {
  const uint32_t beyond = 0u - uint32_t(x > limit);
  return float_of((bits_of(x) & ~beyond) | (bits_of(limit) & beyond));
}
static PLUMB_HOST_DEVICE float at_least(float x, float limit) {
  const uint32_t beyond = 0u - uint32_t(x < limit);
  return float_of((bits_of(x) & ~beyond) | (bits_of(limit) & beyond));
}

constexpr float kInfinity = __builtin_inff();
constexpr float kNaN = __builtin_nanf("");
/// Adding and subtracting it rounds |x| < 2^22 to the nearest integer, ties to even.
constexpr float kRoundMagic = 12582912.0f;  // 1.5 * 2^23

/// Nearest integer, ties to even; keeps the sign of zero.
static PLUMB_HOST_DEVICE float round_even(float x) {
  const float magnitude = abs(x);
  const float rounded = (magnitude + 8388608.0f) - 8388608.0f;
  return magnitude < 8388608.0f ? copysign(rounded, x) : x;
}
static PLUMB_HOST_DEVICE float floor(float x) {
  const float rounded = round_even(x);
  return rounded > x ? rounded - 1.0f : rounded;
}
static PLUMB_HOST_DEVICE float ceil(float x) {
  const float rounded = round_even(x);
  return copysign(rounded < x ? rounded + 1.0f : rounded, x);
}

/// x = n ln 2 + r with |r| <= ln 2 / 2 and n within [-260, 260]; a NaN stays in r.
struct ExpParts {
  float r;
  int32_t n;
};
static PLUMB_HOST_DEVICE ExpParts split_exp(float x) {
  const float shifted = x * 1.44269504f + kRoundMagic;
  const float n = shifted - kRoundMagic;
  // ln 2 in two pieces: the first has 12 bits, so its product with n is exact.
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  return {r, int32_t(bits_of(shifted) - bits_of(kRoundMagic))};
}
/// (e^r - 1 - r) for |r| <= ln 2 / 2.
static PLUMB_HOST_DEVICE float exp_tail(float r) {
  const float p = (((0x1.6db4e4p-10f * r + 0x1.123be0p-7f) * r + 0x1.55545ep-5f) * r + 0x1.55548ep-3f) * r + 0.5f;
  return (r * r) * p;
}
/// 2^n for n in [-126, 127].
static PLUMB_HOST_DEVICE float power_of_two(int32_t n) { return float_of(uint32_t(n + 127) << 23); }

/// e^x.
static PLUMB_HOST_DEVICE float exp(float x) {
  // Beyond these the result is infinity or zero whatever x is.
  const ExpParts parts = split_exp(at_least(at_most(x, 89.0f), -104.0f));
  const float mantissa = 1.0f + (parts.r + exp_tail(parts.r));
  // Two factors, so that neither overflows before the product does and a subnormal result is rounded once.
  const int32_t half = parts.n >> 1;
  return (mantissa * power_of_two(half)) * power_of_two(parts.n - half);
}

/// e^x - 1, accurate near zero.
static PLUMB_HOST_DEVICE float expm1(float x) {
  const ExpParts parts = split_exp(at_least(at_most(x, 89.0f), -30.0f));
  const float small = parts.r + exp_tail(parts.r);
  // Half of 2^n, so that n = 128 does not overflow early.
  const float half_scale = power_of_two(parts.n - 1);
  const float large = 2.0f * (half_scale * small + (half_scale - 0.5f));
  return copysign(parts.n == 0 ? small : large, x);  // -0 stays -0
}

/// log(x) + n_extra ln 2 for normal x > 0; anything else gives some number.
static PLUMB_HOST_DEVICE float log_normal(float x, float n_extra) {
  // Mantissa in [sqrt(1/2), sqrt(2)): the offset makes the exponent field roll over at sqrt(1/2).
  const uint32_t shifted = bits_of(x) - 0x3f3504f3u;
  const float f = float_of((shifted & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
  const float n = float(int32_t(shifted) >> 23) + n_extra;
  // (log(1 + f) - f + f^2/2) / f^3
  float p = 0x1.1462aep-4f;
  p = p * f + -0x1.de4f84p-4f;
  p = p * f + 0x1.e6f626p-4f;
  p = p * f + -0x1.fc1f72p-4f;
  p = p * f + 0x1.2336e0p-3f;
  p = p * f + -0x1.555c5ap-3f;
  p = p * f + 0x1.99a4bcp-3f;
  p = p * f + -0x1.000006p-2f;
  p = p * f + 0x1.555548p-2f;
  const float square = f * f;
  const float tail = ((f * square) * p + n * -2.12194440e-4f) - 0.5f * square;
  return (f + tail) + n * 0.693359375f;
}
/// Limits of a logarithm `y` of x at 0 and infinity, NaN below 0 and for NaN.
static PLUMB_HOST_DEVICE float log_limits(float x, float y) {
  y = x == kInfinity ? x : y;
  y = x == 0.0f ? -kInfinity : y;
  return x >= 0.0f ? y : kNaN;
}

/// Natural logarithm.
static PLUMB_HOST_DEVICE float log(float x) {
  const bool tiny = x < 0x1p-126f;
  return log_limits(x, log_normal(tiny ? x * 0x1p23f : x, tiny ? -23.0f : 0.0f));
}

/// What u = 1 + x lost to rounding (Knuth), as a change of log(u): d log(u) = du / u.
static PLUMB_HOST_DEVICE float log1p_correction(float x, float u) {
  const float back = u - 1.0f;
  return ((1.0f - (u - back)) + (x - back)) / u;
}
/// log(1 + x), accurate near zero.
static PLUMB_HOST_DEVICE float log1p(float x) {
  const float u = 1.0f + x;
  const float y = log_limits(u, log_normal(u, 0.0f) + log1p_correction(x, u));
  return x == 0.0f ? x : y;  // keeps -0
}
/// log(1 + e^-|x|), which is log1p without its limits; NaN for NaN.
static PLUMB_HOST_DEVICE float log1p_exp_negative(float x) {
  const float e = exp(-abs(x));
  const float u = 1.0f + e;
  return log_normal(u, 0.0f) + log1p_correction(e, u);
}

/// 1 / (1 + e^-x).
static PLUMB_HOST_DEVICE float sigmoid(float x) { return 1.0f / (1.0f + exp(-x)); }

static PLUMB_HOST_DEVICE float tanh(float x) {
  const float t = abs(x), square = t * t;
  // (tanh(t) / t - 1) / t^2 for t < 0.63
  float p = -0x1.6e5d02p-8f;
  p = p * square + 0x1.507f32p-6f;
  p = p * square + -0x1.b7fce0p-5f;
  p = p * square + 0x1.11054ep-3f;
  p = p * square + -0x1.55552ap-2f;
  const float small = t + t * (square * p);
  const float large = 1.0f - 2.0f / (exp(2.0f * t) + 1.0f);
  return copysign(t < 0.625f ? small : large, x);
}
/// 2/sqrt(pi) times the integral of e^(-t^2) from 0 to x.
static PLUMB_HOST_DEVICE float erf(float x) {
  const float magnitude = abs(x);
  const float t = at_most(magnitude, 4.0f);
  const float square = t * t;
  // erf(t)/t - 1 for t < 0.93
  float p = 0x1.5e062cp-14f;
  p = p * square + -0x1.aaa2d6p-11f;
  p = p * square + 0x1.54d42ap-8f;
  p = p * square + -0x1.b80ff2p-6f;
  p = p * square + 0x1.ce2e1cp-4f;
  p = p * square + -0x1.812744p-2f;
  p = p * square + 0x1.06eba8p-3f;
  const float small = t + t * p;
  // -log(erfc(t)) for 0.92 < t <= 4
  float q = 0x1.6309b6p-16f;
  q = q * t + -0x1.c85c30p-12f;
  q = q * t + 0x1.1196e4p-8f;
  q = q * t + -0x1.9bb518p-6f;
  q = q * t + 0x1.bb9270p-4f;
  q = q * t + 0x1.444470p-1f;
  q = q * t + 0x1.212846p+0f;
  q = q * t + -0x1.70d5f6p-13f;
  const float large = 1.0f - exp(-q);
  return copysign(t < 0.925f ? small : large, x);
}

/// Largest |x| for which sin and cos below are accurate; kernels send larger ones to the C library.
constexpr float kTrigLimit = 1.0e6f;

/// x = quadrant pi/2 + r with |r| <= pi/4, reduced in double: pi/2 in three pieces of which the first two have 33 bits,
/// so that their products with the quadrant number are exact.
struct TrigParts {
  float r;
  uint32_t quadrant;
};
static PLUMB_HOST_DEVICE TrigParts split_trig(float x) {
  const double wide = double(x);
  const double magic = 6755399441055744.0;  // 1.5 * 2^52
  const double shifted = wide * 0.63661977236758134308 + magic;
  const double n = shifted - magic;
  const double r = ((wide - n * 0x1.921fb544p+0) - n * 0x1.0b4611a6p-34) - n * 0x1.3198a2e037073p-69;
  return {float(r), uint32_t(__builtin_bit_cast(uint64_t, shifted))};
}
/// sin(r) and cos(r) for |r| <= pi/4.
static PLUMB_HOST_DEVICE float sin_core(float r) {
  const float square = r * r;
  float p = 0x1.6cd5ecp-19f;
  p = p * square + -0x1.a00f94p-13f;
  p = p * square + 0x1.111108p-7f;
  p = p * square + -0x1.555556p-3f;
  return r + r * (square * p);
}
static PLUMB_HOST_DEVICE float cos_core(float r) {
  const float square = r * r;
  float p = -0x1.242906p-22f;
  p = p * square + 0x1.a01118p-16f;
  p = p * square + -0x1.6c16b8p-10f;
  p = p * square + 0x1.555556p-5f;
  return 1.0f + (-0.5f * square + (square * square) * p);
}
static PLUMB_HOST_DEVICE float sin(float x) {
  const TrigParts parts = split_trig(x);
  const float y = (parts.quadrant & 1u) ? cos_core(parts.r) : sin_core(parts.r);
  return float_of(bits_of(y) ^ ((parts.quadrant & 2u) << 30));
}
static PLUMB_HOST_DEVICE float cos(float x) {
  const TrigParts parts = split_trig(x);
  const float y = (parts.quadrant & 1u) ? sin_core(parts.r) : cos_core(parts.r);
  return float_of(bits_of(y) ^ (((parts.quadrant + 1u) & 2u) << 30));
}

static PLUMB_HOST_DEVICE float sqrt(float x) {
#ifdef __CUDACC__
  return ::sqrtf(x);
#else
  return __builtin_sqrtf(x);
#endif
}

static PLUMB_HOST_DEVICE double sigmoid(double x) { return 1.0 / (1.0 + exp(-x)); }
static PLUMB_HOST_DEVICE double log1p_exp_negative(double x) { return log1p(exp(-abs(x))); }
/// Rounded from double: general powers are rare, and special cases (negative bases, infinities) come out right.
static PLUMB_HOST_DEVICE float pow(float x, float y) { return float(pow(double(x), double(y))); }

}  // namespace plumb::math
