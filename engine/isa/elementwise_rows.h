#pragma once

// Loops over contiguous elements, one instantiation a functor, and the tables made of them. `flatten` because a loop
// becomes vector code only when the function in it is inlined whole.

#include "engine/isa/elementwise_kernels.h"
#include "engine/isa/stages.h"
#include "engine/ops/elementwise/activation_functors.h"
#include "engine/ops/elementwise/binary_functors.h"
#include "engine/ops/elementwise/geglu_rows.h"
#include "engine/ops/elementwise/unary_functors.h"
#include "engine/simd.h"

namespace plumb::PLUMB_ISA {
namespace {

/// Functions of a few instructions, which memory keeps waiting anyway.
template <class F, class... Others>
constexpr bool kOneOf = (__is_same(F, Others) || ...);
template <class F>
constexpr bool kLight = kOneOf<F, Abs, Neg, Square, Relu, Sign, LogicalNot, Sqrt, Floor, Ceil, Round, IsNan, IsFinite>;
template <class F>
constexpr bool kLightBackward = kLight<F> || kOneOf<F, Exp, Expm1, Log, Log1p, Rsqrt, Reciprocal, Tanh, Sigmoid>;

template <class F, class T>
[[gnu::flatten]] void unary_row(const T* x, T* out, int64_t count) {
  if constexpr (kLight<F>)
    vector_loop(count, [=](int64_t i) { out[i] = F::forward(x[i]); });
  else
    staged_row(count, out, x, [](T value) { return F::forward(value); });
}

/// sin and cos: arguments beyond the range of the fast reduction go to the C library, element by element.
template <class F>
[[gnu::flatten]] void trig_row(const float* x, float* out, int64_t count) {
  constexpr int64_t kBlock = 1024;
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t end = begin + kBlock < count ? begin + kBlock : count;
    float kept[kBlock];  // out may be x
    uint32_t large = 0;
    for (int64_t i = begin; i < end; ++i) {
      kept[i - begin] = x[i];
      large |= math::abs(x[i]) > math::kTrigLimit ? 1u : 0u;
    }
    unary_row<F>(kept, out + begin, end - begin);
    if (large) [[unlikely]]
      for (int64_t i = begin; i < end; ++i)
        if (math::abs(kept[i - begin]) > math::kTrigLimit) out[i] = float(F::forward(double(kept[i - begin])));
  }
}

template <class F, class T>
[[gnu::flatten]] void backward_row(const T* grad, const T* z, T* out, int64_t count) {
  if constexpr (kLightBackward<F>)
    vector_loop(count, [=](int64_t i) { out[i] = F::backward(grad[i], z[i]); });
  else
    staged_row(count, out, grad, z, [](T up, T value) { return F::backward(up, value); });
}

/// What the two share, the exponential and the division, is computed once.
template <class F, class T>
[[gnu::flatten]] void with_derivative_row(const T* x, T* out, T* derivative, int64_t count) {
  vector_loop(unstaged<T>(count), [=](int64_t i) {
    const T value = x[i];  // read once: for all the compiler knows, out[i] is x[i]
    out[i] = F::forward(value);
    derivative[i] = F::derivative(value);
  });
  for_each_stage<T>(count, [=]<int64_t kCount>(int64_t first, int64_t n) {
    alignas(64) T from[kCount], to[kCount], slope[kCount];
    fill_stage<kCount>(from, x + first, n);
    staged_loop<kCount>([&](int64_t i) {
      to[i] = F::forward(from[i]);
      slope[i] = F::derivative(from[i]);
    });
    for (int64_t i = 0; i < n; ++i) out[first + i] = to[i], derivative[first + i] = slope[i];
  });
}

/// As trig_row: the C library takes the large arguments.
template <class F>
[[gnu::flatten]] void trig_backward_row(const float* grad, const float* x, float* out, int64_t count) {
  uint32_t large = 0;
  for (int64_t i = 0; i < count; ++i) large |= math::abs(x[i]) > math::kTrigLimit ? 1u : 0u;
  if (!large) return backward_row<F, float>(grad, x, out, count);
  for (int64_t i = 0; i < count; ++i)
    out[i] = math::abs(x[i]) > math::kTrigLimit ? float(F::backward(double(grad[i]), double(x[i])))
                                                : F::backward(grad[i], x[i]);
}

template <class F, class T>
[[gnu::flatten]] void binary_row(const T* a, const T* b, T* out, int64_t count) {
  vector_loop(count, [=](int64_t i) { out[i] = F::apply(a[i], b[i]); });
}
template <class F, class T>
[[gnu::flatten]] void binary_row_scalar_left(const T* a, const T* b, T* out, int64_t count) {
  const T value = *a;
  vector_loop(count, [=](int64_t i) { out[i] = F::apply(value, b[i]); });
}
template <class F, class T>
[[gnu::flatten]] void binary_row_scalar_right(const T* a, const T* b, T* out, int64_t count) {
  const T value = *b;
  vector_loop(count, [=](int64_t i) { out[i] = F::apply(a[i], value); });
}
template <class F, class T>
constexpr BinaryRows<T> binary_rows = {binary_row<F, T>, binary_row_scalar_left<F, T>, binary_row_scalar_right<F, T>};

template <class F, class T>
[[gnu::flatten]] void ternary_row(const T* a, const T* b, const T* c, T* out, int64_t count) {
  vector_loop(count, [=](int64_t i) { out[i] = F::apply(a[i], b[i], c[i]); });
}

template <class F, class T>
[[gnu::flatten]] void ternary_row_scalar_c(const T* a, const T* b, const T* c, T* out, int64_t count) {
  const T value = *c;
  vector_loop(count, [=](int64_t i) { out[i] = F::apply(a[i], b[i], value); });
}
template <class F, class T>
[[gnu::flatten]] void ternary_row_scalars_b_c(const T* a, const T* b, const T* c, T* out, int64_t count) {
  const T low = *b, high = *c;
  vector_loop(count, [=](int64_t i) { out[i] = F::apply(a[i], low, high); });
}

template <class F, class T>
constexpr void set_unary(ElementwiseTable<T>& table, UnaryOp op) {
  table.unary[int(op)] = unary_row<F, T>;
}
template <class F, class T>
constexpr void set_differentiable(ElementwiseTable<T>& table, UnaryOp op) {
  table.unary[int(op)] = unary_row<F, T>;
  table.unary_backward[int(op)] = backward_row<F, T>;
}
template <class F, class T>
constexpr void set_binary(ElementwiseTable<T>& table, BinaryOp op) {
  table.binary[int(op)] = binary_rows<F, T>;
}
template <class F, class T>
constexpr void set_ternary(ElementwiseTable<T>& table, TernaryOp op) {
  table.ternary[int(op)].all = ternary_row<F, T>;
}

/// What every compute type knows, int64_t included.
template <class T>
constexpr void set_common(ElementwiseTable<T>& table) {
  set_unary<Abs>(table, UnaryOp::abs);
  set_unary<Neg>(table, UnaryOp::neg);
  set_unary<Square>(table, UnaryOp::square);
  set_unary<Relu>(table, UnaryOp::relu);
  set_unary<Sign>(table, UnaryOp::sign);
  set_unary<LogicalNot>(table, UnaryOp::logical_not);
  set_binary<Add>(table, BinaryOp::add);
  set_binary<Sub>(table, BinaryOp::sub);
  set_binary<Mul>(table, BinaryOp::mul);
  set_binary<Maximum>(table, BinaryOp::maximum);
  set_binary<Minimum>(table, BinaryOp::minimum);
  set_binary<Eq>(table, BinaryOp::eq);
  set_binary<Ne>(table, BinaryOp::ne);
  set_binary<Lt>(table, BinaryOp::lt);
  set_binary<Le>(table, BinaryOp::le);
  set_binary<Gt>(table, BinaryOp::gt);
  set_binary<Ge>(table, BinaryOp::ge);
  set_binary<LogicalAnd>(table, BinaryOp::logical_and);
  set_binary<LogicalOr>(table, BinaryOp::logical_or);
  set_ternary<Where>(table, TernaryOp::where);
  set_ternary<Clamp>(table, TernaryOp::clamp);
  table.ternary[int(TernaryOp::clamp)].scalars_b_c = ternary_row_scalars_b_c<Clamp, T>;
  set_ternary<ClampMask>(table, TernaryOp::clamp_mask);
}

template <class T>
constexpr void set_floating(ElementwiseTable<T>& table) {
  set_common(table);
  set_differentiable<Abs>(table, UnaryOp::abs);
  set_differentiable<Neg>(table, UnaryOp::neg);
  set_differentiable<Exp>(table, UnaryOp::exp);
  set_differentiable<Expm1>(table, UnaryOp::expm1);
  set_differentiable<Log>(table, UnaryOp::log);
  set_differentiable<Log1p>(table, UnaryOp::log1p);
  set_differentiable<Sqrt>(table, UnaryOp::sqrt);
  set_differentiable<Rsqrt>(table, UnaryOp::rsqrt);
  set_differentiable<Reciprocal>(table, UnaryOp::reciprocal);
  set_differentiable<Square>(table, UnaryOp::square);
  set_differentiable<Sin>(table, UnaryOp::sin);
  set_differentiable<Cos>(table, UnaryOp::cos);
  set_differentiable<Tanh>(table, UnaryOp::tanh);
  set_differentiable<Sigmoid>(table, UnaryOp::sigmoid);
  set_differentiable<LogSigmoid>(table, UnaryOp::logsigmoid);
  set_differentiable<Softplus>(table, UnaryOp::softplus);
  set_differentiable<Relu>(table, UnaryOp::relu);
  set_differentiable<Silu>(table, UnaryOp::silu);
  table.silu_with_derivative = with_derivative_row<Silu, T>;
  table.geglu = geglu_row<T>;
  table.geglu_grad_gate = geglu_grad_gate_row<T>;
  set_differentiable<Gelu>(table, UnaryOp::gelu);
  set_differentiable<GeluTanh>(table, UnaryOp::gelu_tanh);
  set_differentiable<Erf>(table, UnaryOp::erf);
  set_differentiable<Sign>(table, UnaryOp::sign);
  set_differentiable<Floor>(table, UnaryOp::floor);
  set_differentiable<Ceil>(table, UnaryOp::ceil);
  set_differentiable<Round>(table, UnaryOp::round);
  set_unary<IsNan>(table, UnaryOp::isnan);
  set_unary<IsFinite>(table, UnaryOp::isfinite);
  set_binary<Div>(table, BinaryOp::div);
  set_binary<Pow>(table, BinaryOp::pow);
  set_ternary<AddScaled>(table, TernaryOp::add_scaled);
  table.ternary[int(TernaryOp::add_scaled)].scalar_c = ternary_row_scalar_c<AddScaled, T>;
  set_ternary<DivBackwardDivisor>(table, TernaryOp::div_backward_divisor);
  set_ternary<MaximumBackward>(table, TernaryOp::maximum_backward);
  set_ternary<MinimumBackward>(table, TernaryOp::minimum_backward);
  set_ternary<PowBackwardBase>(table, TernaryOp::pow_backward_base);
  set_ternary<PowBackwardExponent>(table, TernaryOp::pow_backward_exponent);
}

}  // namespace
}  // namespace plumb::PLUMB_ISA
