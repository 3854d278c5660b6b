#pragma once

#include "engine/host_device.h"

#ifdef __CUDACC__
#include <cmath>
#endif

// The double half of math.h: the C library's functions. Builtins rather than <cmath>, whose inline wrappers a source
// compiled for one instruction set must not emit (engine/isa/kernels.h).

namespace plumb::math {

#ifdef __CUDACC__
static PLUMB_HOST_DEVICE double abs(double x) { return ::fabs(x); }
static PLUMB_HOST_DEVICE double copysign(double x, double sign) { return ::copysign(x, sign); }
static PLUMB_HOST_DEVICE double round_even(double x) { return ::rint(x); }
static PLUMB_HOST_DEVICE double floor(double x) { return ::floor(x); }
static PLUMB_HOST_DEVICE double ceil(double x) { return ::ceil(x); }
static PLUMB_HOST_DEVICE double exp(double x) { return ::exp(x); }
static PLUMB_HOST_DEVICE double expm1(double x) { return ::expm1(x); }
static PLUMB_HOST_DEVICE double log(double x) { return ::log(x); }
static PLUMB_HOST_DEVICE double log1p(double x) { return ::log1p(x); }
static PLUMB_HOST_DEVICE double tanh(double x) { return ::tanh(x); }
static PLUMB_HOST_DEVICE double erf(double x) { return ::erf(x); }
static PLUMB_HOST_DEVICE double sin(double x) { return ::sin(x); }
static PLUMB_HOST_DEVICE double cos(double x) { return ::cos(x); }
static PLUMB_HOST_DEVICE double sqrt(double x) { return ::sqrt(x); }
static PLUMB_HOST_DEVICE double pow(double x, double y) { return ::pow(x, y); }
#else
static inline double abs(double x) { return __builtin_fabs(x); }
static inline double copysign(double x, double sign) { return __builtin_copysign(x, sign); }
static inline double round_even(double x) { return __builtin_rint(x); }
static inline double floor(double x) { return __builtin_floor(x); }
static inline double ceil(double x) { return __builtin_ceil(x); }
static inline double exp(double x) { return __builtin_exp(x); }
static inline double expm1(double x) { return __builtin_expm1(x); }
static inline double log(double x) { return __builtin_log(x); }
static inline double log1p(double x) { return __builtin_log1p(x); }
static inline double tanh(double x) { return __builtin_tanh(x); }
static inline double erf(double x) { return __builtin_erf(x); }
static inline double sin(double x) { return __builtin_sin(x); }
static inline double cos(double x) { return __builtin_cos(x); }
static inline double sqrt(double x) { return __builtin_sqrt(x); }
static inline double pow(double x, double y) { return __builtin_pow(x, y); }
#endif

}  // namespace plumb::math
