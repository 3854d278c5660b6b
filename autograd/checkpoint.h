#pragma once

#include <array>
#include <type_traits>
#include <utility>

#include "autograd/record.h"
#include "engine/packed_cache.h"

namespace plumb {

struct CheckpointOptions {
  /// The function reads leaves that are not among its inputs (weights of a module it captures). Matters only when no
  /// input needs a gradient, as in the first block of a network: before the call nobody knows whether the function
  /// reads such leaves. Without this it is then called and recorded as usual: right, but no memory is saved.
  bool captures_leaves = false;
};

namespace detail {
using RecomputeFunction = Variable (*)(const void* function, const Variable* inputs);
/// How an input takes part: bit i of `leaves` tells that input i is a leaf itself, whose contributions add up in f32.
struct RecomputeInputs {
  int count;
  uint32_t leaves;
};
/// Runs the function again with the graph on, sends `grad` through it, and returns the inputs' gradients. Gradients of
/// captured leaves are added to them on the way.
Grads recompute(RecomputeFunction call, const void* function, const Saved& saved, RecomputeInputs inputs,
                const Tensor& grad, Needs needs);
/// A leaf of no elements: ties the node to the tape when no input does.
Variable checkpoint_anchor();

template <class F, size_t... I>
Variable call_with(const F& function, const Variable* inputs, std::index_sequence<I...>) {
  return function(inputs[I]...);
}

template <class Backward, size_t N, size_t... I>
Variable record_checkpoint(const Tensor& value, const std::array<Variable, N>& inputs, Backward backward,
                           std::index_sequence<I...>) {
  return record("checkpoint", value, std::span<const Variable>(inputs), save(inputs[I].value()...),
                std::move(backward));
}
}  // namespace detail

/// Calls `function(inputs…)` without recording what happens inside; backward runs it a second time, with recording, to
/// get the gradients: memory for compute (Chen et al. 2016, arXiv:1604.06174). Only the inputs are kept. May be nested.
///
///   Variable y = checkpoint([this](const Variable& x, const Variable& t) { return block_.forward(x, t); }, x, t);
///
/// inputs: one to five Variables or Tensors (integer ones are constants); function: copied into the tape, at most about
/// 150 bytes of captures, whatever it refers to must live until backward. It must give the same value both times:
/// random numbers from a RandomKey do, a Generator does not; what it captures must not change in between (for modules
/// with adapters use nn/checkpoint_module.h). Differentiable in every floating input and in every leaf the function
/// reads. Gradients are those of the plain run bit for bit, except that an input (or captured leaf) also used outside
/// has its contributions added in another order. With retain_graph the function runs again for each backward.
template <class F, class... Inputs>
Variable checkpoint(const CheckpointOptions& options, F function, const Inputs&... inputs) {
  constexpr int kCount = sizeof...(inputs);
  static_assert(kCount >= 1 && kCount <= Node::kMaxSaved, "checkpoint takes one to five inputs");
  const bool anchored = options.captures_leaves && grad_enabled();
  const std::array<Variable, kCount + 1> all{Variable(inputs)..., anchored ? detail::checkpoint_anchor() : Variable()};
  using Indices = std::make_index_sequence<kCount>;
  if (!needs_of(std::span<const Variable>(all)).any()) return detail::call_with(function, all.data(), Indices{});
  const Tensor value = [&] {
    NoGrad no_grad;
    const PackedCachePause pause(true);  // met again soon, but for the last time unchanged
    return detail::call_with(function, all.data(), Indices{}).value();
  }();
  detail::RecomputeInputs kinds{kCount, 0};
  for (int i = 0; i < kCount; ++i) kinds.leaves |= uint32_t(all[size_t(i)].is_leaf()) << i;
  auto backward = [function, kinds](const Saved& saved, const Tensor& grad, Needs needs) {
    const detail::RecomputeFunction call = [](const void* object, const Variable* variables) {
      return detail::call_with(*static_cast<const F*>(object), variables, Indices{});
    };
    return detail::recompute(call, &function, saved, kinds, grad, needs);
  };
  return detail::record_checkpoint(value, all, std::move(backward), Indices{});
}

template <class F, class... Inputs>
requires(!std::is_same_v<F, CheckpointOptions>) Variable checkpoint(F function, const Inputs&... inputs) {
  return checkpoint(CheckpointOptions{}, std::move(function), inputs...);
}

}  // namespace plumb
