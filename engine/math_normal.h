#pragma once

#include "engine/math.h"

// The normal distribution in the style of math.h: no branches, no calls, the same bits everywhere.

namespace plumb::math {

/// e^x for x <= 0 and NaN, zero below e^-87: exp without the steps that only other arguments need.
static PLUMB_HOST_DEVICE float exp_nonpositive(float x) {
  const ExpParts parts = split_exp(x);
  const float y = (1.0f + (parts.r + exp_tail(parts.r))) * float_of(uint32_t(parts.n + 127) << 23);
  return x < -87.0f ? 0.0f : y;
}

/// Phi(x), the share of a standard normal below x, within 1.7e-7, 8.2e-8 of x Phi(x), and 5.4e-7 of itself for x > -3;
/// and its density, within 4.3e-8.
template <class T>
struct Normal {
  T below, density;
};
static PLUMB_HOST_DEVICE Normal<float> normal(float x) {
  const float t = abs(x);
  const float bell = exp_nonpositive(-0.5f * (x * x));
  // The share above t is bell times a function without exponentials, here a polynomial in 1 / (1 + 0.4 t).
  const float w = 2.5f / (t + 2.5f);
  float p = -0x1.47ae50p-5f;
  p = p * w + 0x1.9e5c12p-3f;
  p = p * w + -0x1.81da48p-2f;
  p = p * w + 0x1.042c7cp-2f;
  p = p * w + -0x1.d1ff26p-7f;
  p = p * w + 0x1.45ca14p-3f;
  p = p * w + 0x1.3ec34ep-3f;
  p = p * w + 0x1.478456p-3f;
  p = p * w + -0x1.ac11dcp-17f;
  const float above = p * bell;
  return {x > 0.0f ? 1.0f - above : above, 0.39894228f * bell};
}

static PLUMB_HOST_DEVICE Normal<double> normal(double x) {
  return {0.5 * (1.0 + erf(x * 0.70710678118654752)), 0.39894228040143268 * exp(-0.5 * (x * x))};
}

}  // namespace plumb::math
