#pragma once

// Internal: what happens to a row of a product after its sums are complete, with the functors of the elementwise ops,
// so that fused and separate passes have the same bits. Compiled once an instruction set (engine/isa/kernels.h).

#include "engine/fused_activation.h"
#include "engine/ops/elementwise/activation_functors.h"
#include "engine/simd.h"

namespace plumb::PLUMB_ISA {
namespace {

/// f'(x) where the forward pass keeps it; the derivative of Relu is read off its output instead.
template <class F, class T>
[[gnu::always_inline]] inline T derivative_of(T x) {
  return F::backward(T(1), x);
}

/// c[i] = f(c[i]) for n elements; derivative[i] = f'(old c[i]) unless derivative is null.
template <class F, class T>
[[gnu::always_inline]] inline void activate_row(T* c, T* derivative, int64_t n) {
  if (derivative)
    vector_loop(n, [=](int64_t i) {
      const T x = c[i];  // read once: for all the compiler knows, derivative[i] is c[i]
      derivative[i] = derivative_of<F>(x);
      c[i] = F::forward(x);
    });
  else
    vector_loop(n, [=](int64_t i) { c[i] = F::forward(c[i]); });
}

}  // namespace
}  // namespace plumb::PLUMB_ISA
