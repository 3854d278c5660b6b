#pragma once

// The elementwise ops as functions of one to three values of a compute type (float, double, int64_t), picked by a
// switch inside the kernel: the branch is the same for all threads and hides behind the memory access, and one kernel
// serves all ops. The functors are the CPU's own. int64_t knows the ops that set_common in
// engine/isa/elementwise_rows.h lists.

#include <cuda_runtime.h>

#include <type_traits>

#include "engine/ops/elementwise/activation_functors.h"
#include "engine/ops/elementwise/binary_functors.h"
#include "engine/ops/elementwise/elementwise_op.h"
#include "engine/ops/elementwise/unary_functors.h"

namespace plumb {

using namespace PLUMB_ISA;  // where the functors are

template <class C>
inline constexpr bool is_integer = std::is_same_v<C, int64_t>;

/// sin and cos: beyond the range of the fast reduction, double's.
template <class F, class C>
__device__ inline C trigonometric(C x) {
  if constexpr (std::is_same_v<C, float>)
    if (math::abs(x) > math::kTrigLimit) return float(F::forward(double(x)));
  return F::forward(x);
}
template <class F, class C>
__device__ inline C trigonometric_backward(C grad, C x) {
  if constexpr (std::is_same_v<C, float>)
    if (math::abs(x) > math::kTrigLimit) return float(F::backward(double(grad), double(x)));
  return F::backward(grad, x);
}

template <class C>
__device__ inline C unary_function(UnaryOp op, C x) {
  // long: two lines an op
  switch (op) {
    case UnaryOp::abs:
      return Abs::forward(x);
    case UnaryOp::neg:
      return Neg::forward(x);
    case UnaryOp::square:
      return Square::forward(x);
    case UnaryOp::relu:
      return Relu::forward(x);
    case UnaryOp::sign:
      return Sign::forward(x);
    case UnaryOp::logical_not:
      return LogicalNot::forward(x);
    default:
      break;
  }
  if constexpr (!is_integer<C>) {
    switch (op) {
      case UnaryOp::exp:
        return Exp::forward(x);
      case UnaryOp::expm1:
        return Expm1::forward(x);
      case UnaryOp::log:
        return Log::forward(x);
      case UnaryOp::log1p:
        return Log1p::forward(x);
      case UnaryOp::sqrt:
        return Sqrt::forward(x);
      case UnaryOp::rsqrt:
        return Rsqrt::forward(x);
      case UnaryOp::reciprocal:
        return Reciprocal::forward(x);
      case UnaryOp::sin:
        return trigonometric<Sin>(x);
      case UnaryOp::cos:
        return trigonometric<Cos>(x);
      case UnaryOp::tanh:
        return Tanh::forward(x);
      case UnaryOp::sigmoid:
        return Sigmoid::forward(x);
      case UnaryOp::logsigmoid:
        return LogSigmoid::forward(x);
      case UnaryOp::softplus:
        return Softplus::forward(x);
      case UnaryOp::silu:
        return Silu::forward(x);
      case UnaryOp::gelu:
        return Gelu::forward(x);
      case UnaryOp::gelu_tanh:
        return GeluTanh::forward(x);
      case UnaryOp::erf:
        return Erf::forward(x);
      case UnaryOp::floor:
        return Floor::forward(x);
      case UnaryOp::ceil:
        return Ceil::forward(x);
      case UnaryOp::round:
        return Round::forward(x);
      case UnaryOp::isnan:
        return IsNan::forward(x);
      case UnaryOp::isfinite:
        return IsFinite::forward(x);
      default:
        break;
    }
  }
  return C(0);
}

/// `z` is the input or the output, whichever the derivative is written in. float and double only.
template <class C>
__device__ inline C unary_derivative(UnaryOp op, C grad, C z) {
  switch (op) {
    case UnaryOp::abs:
      return Abs::backward(grad, z);
    case UnaryOp::neg:
      return Neg::backward(grad, z);
    case UnaryOp::exp:
      return Exp::backward(grad, z);
    case UnaryOp::expm1:
      return Expm1::backward(grad, z);
    case UnaryOp::log:
      return Log::backward(grad, z);
    case UnaryOp::log1p:
      return Log1p::backward(grad, z);
    case UnaryOp::sqrt:
      return Sqrt::backward(grad, z);
    case UnaryOp::rsqrt:
      return Rsqrt::backward(grad, z);
    case UnaryOp::reciprocal:
      return Reciprocal::backward(grad, z);
    case UnaryOp::square:
      return Square::backward(grad, z);
    case UnaryOp::sin:
      return trigonometric_backward<Sin>(grad, z);
    case UnaryOp::cos:
      return trigonometric_backward<Cos>(grad, z);
    case UnaryOp::tanh:
      return Tanh::backward(grad, z);
    case UnaryOp::sigmoid:
      return Sigmoid::backward(grad, z);
    case UnaryOp::logsigmoid:
      return LogSigmoid::backward(grad, z);
    case UnaryOp::softplus:
      return Softplus::backward(grad, z);
    case UnaryOp::relu:
      return Relu::backward(grad, z);
    case UnaryOp::silu:
      return Silu::backward(grad, z);
    case UnaryOp::gelu:
      return Gelu::backward(grad, z);
    case UnaryOp::gelu_tanh:
      return GeluTanh::backward(grad, z);
    case UnaryOp::erf:
      return Erf::backward(grad, z);
    case UnaryOp::sign:
      return Sign::backward(grad, z);
    case UnaryOp::floor:
      return Floor::backward(grad, z);
    case UnaryOp::ceil:
      return Ceil::backward(grad, z);
    case UnaryOp::round:
      return Round::backward(grad, z);
    default:
      return C(0);
  }
}

template <class C>
__device__ inline C binary_function(BinaryOp op, C a, C b) {
  switch (op) {
    case BinaryOp::add:
      return Add::apply(a, b);
    case BinaryOp::sub:
      return Sub::apply(a, b);
    case BinaryOp::mul:
      return Mul::apply(a, b);
    case BinaryOp::maximum:
      return Maximum::apply(a, b);
    case BinaryOp::minimum:
      return Minimum::apply(a, b);
    case BinaryOp::eq:
      return Eq::apply(a, b);
    case BinaryOp::ne:
      return Ne::apply(a, b);
    case BinaryOp::lt:
      return Lt::apply(a, b);
    case BinaryOp::le:
      return Le::apply(a, b);
    case BinaryOp::gt:
      return Gt::apply(a, b);
    case BinaryOp::ge:
      return Ge::apply(a, b);
    case BinaryOp::logical_and:
      return LogicalAnd::apply(a, b);
    case BinaryOp::logical_or:
      return LogicalOr::apply(a, b);
    default:
      break;
  }
  if constexpr (!is_integer<C>) {
    if (op == BinaryOp::div) return Div::apply(a, b);
    if (op == BinaryOp::pow) return Pow::apply(a, b);
  }
  return C(0);
}

template <class C>
__device__ inline C ternary_function(TernaryOp op, C a, C b, C c) {
  switch (op) {
    case TernaryOp::where:
      return Where::apply(a, b, c);
    case TernaryOp::clamp:
      return Clamp::apply(a, b, c);
    case TernaryOp::clamp_mask:
      return ClampMask::apply(a, b, c);
    default:
      break;
  }
  if constexpr (!is_integer<C>) {
    switch (op) {
      case TernaryOp::add_scaled:
        return AddScaled::apply(a, b, c);
      case TernaryOp::div_backward_divisor:
        return DivBackwardDivisor::apply(a, b, c);
      case TernaryOp::maximum_backward:
        return MaximumBackward::apply(a, b, c);
      case TernaryOp::minimum_backward:
        return MinimumBackward::apply(a, b, c);
      case TernaryOp::pow_backward_base:
        return PowBackwardBase::apply(a, b, c);
      case TernaryOp::pow_backward_exponent:
        return PowBackwardExponent::apply(a, b, c);
      default:
        break;
    }
  }
  return C(0);
}

constexpr bool integers_know(UnaryOp op) {
  return op == UnaryOp::abs || op == UnaryOp::neg || op == UnaryOp::square || op == UnaryOp::relu ||
         op == UnaryOp::sign || op == UnaryOp::logical_not;
}
constexpr bool integers_know(BinaryOp op) { return op != BinaryOp::div && op != BinaryOp::pow; }
constexpr bool integers_know(TernaryOp op) { return op <= TernaryOp::clamp_mask; }

}  // namespace plumb
