#pragma once

#include <cstdint>

namespace plumb {

/// Everything an Adam step needs, rounded to T once. Names as in engine/ops/optim/adam.h.
template <class T>
struct AdamCoefficients {
  T shrink;  // 1 - lr * weight_decay when decoupled, else 1
  T l2;      // weight_decay when it joins the gradient, else 0
  T one_minus_beta1;
  T beta2, one_minus_beta2;
  T inverse_root_correction2;  // 1 / sqrt(1 - beta2^t)
  T epsilon;
  T step_size;  // lr / (1 - beta1^t)
};

template <class T>
struct SgdCoefficients {
  T l2, momentum, gradient_share, learning_rate;  // gradient_share: 1 - dampening, 1 in the first step
  T gradient_part, momentum_part;                 // step direction = gradient_part * g + momentum_part * b
};

/// Loops of the optimisers over contiguous floats. Arrays of one call do not overlap.
struct OptimKernels {
  void (*adam)(float* weight, const float* grad, float* m, float* v, int64_t count, const AdamCoefficients<float>& c);
  void (*sgd)(float* weight, const float* grad, int64_t count, const SgdCoefficients<float>& c);
  void (*sgd_momentum)(float* weight, const float* grad, float* buffer, int64_t count, const SgdCoefficients<float>& c);
  void (*ema)(float* shadow, const float* weight, int64_t count, float one_minus_decay);
  double (*sum_of_squares)(const float* x, int64_t count);
};

}  // namespace plumb
