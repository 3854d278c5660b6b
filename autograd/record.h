#pragma once

#include <new>
#include <span>
#include <type_traits>

#include "autograd/grad_mode.h"
#include "autograd/variable.h"

namespace plumb {

/// The Variables an op read, by reference: `record(name, y, {x, weight}, …)` copies none of them.
class Inputs {
 public:
  template <class... Variables>
  requires(std::same_as<Variables, Variable>&&...) Inputs(const Variables&... variables)
      : few_{&variables...}, count_(sizeof...(variables)) {
    static_assert(sizeof...(variables) <= Node::kInlineInputs, "pass a span for more inputs");
  }
  Inputs(std::span<const Variable> variables) : many_(variables.data()), count_(variables.size()) {}

  int count() const { return int(count_); }
  const Variable& operator[](int i) const { return many_ ? many_[i] : *few_[i]; }

 private:
  const Variable* few_[Node::kInlineInputs] = {};
  const Variable* many_ = nullptr;
  size_t count_;
};

/// Tensors to keep for backward, by reference. An undefined tensor keeps its place and costs nothing.
class Saves {
 public:
  template <class... Tensors>
  explicit Saves(const Tensors&... tensors) : items_{&tensors...}, count_(sizeof...(tensors)) {
    static_assert(sizeof...(tensors) <= Node::kMaxSaved, "an op saves at most five tensors");
  }
  int count() const { return int(count_); }
  const Tensor& operator[](int i) const { return *items_[i]; }

 private:
  const Tensor* items_[Node::kMaxSaved];
  size_t count_;
};

template <class... Tensors>
Saves save(const Tensors&... tensors) {
  return Saves(tensors...);
}

/// Which of `inputs` will need a gradient if an op on them is recorded now (none under NoGrad). Ask before saving: a
/// frozen weight then costs neither memory nor work.
inline Needs needs_of(const Inputs& inputs) {
  if (!grad_enabled()) return Needs();
  uint32_t mask = 0;
  for (int i = 0; i < inputs.count(); ++i)
    if (inputs[i].requires_grad()) mask |= i < 32 ? 1u << i : 1u << 31;
  return Needs(mask);
}

namespace detail {
/// Node with inputs and saved tensors in place; the closure is still missing.
Ref<Node> make_op_node(const char* name, const Tensor& value, const Inputs& inputs, const Saves& saves);
/// Throws NumericError naming the op when `value` holds a NaN.
void check_for_nan(const char* op, const char* what, const Tensor& value);
}  // namespace detail

/// Puts an op on the tape and returns its value as a Variable.
///   backward: Grads(const Saved&, const Tensor& grad, Needs) gives one gradient per input, undefined where not needed.
/// Nothing is kept when no input needs a gradient. The closure must fit Node::kClosureBytes and must not own the output
/// Variable (that would be a cycle: save the Tensor instead).
template <class Backward>
Variable record(const char* name, Tensor value, const Inputs& inputs, const Saves& saves, Backward&& backward) {
  using Closure = std::remove_cvref_t<Backward>;
  static_assert(sizeof(Closure) <= Node::kClosureBytes && alignof(Closure) <= alignof(std::max_align_t));
  if (anomaly_enabled()) [[unlikely]]
    detail::check_for_nan(name, "value", value);
  if (!needs_of(inputs).any()) return Variable(std::move(value));
  Ref<Node> node = detail::make_op_node(name, value, inputs, saves);
  new (node->closure) Closure(std::forward<Backward>(backward));
  node->run = [](void* closure, const Saved& saved, const Tensor& grad, Needs needs) -> Grads {
    return (*static_cast<Closure*>(closure))(saved, grad, needs);
  };
  if constexpr (!std::is_trivially_destructible_v<Closure>)
    node->drop = [](void* closure) { static_cast<Closure*>(closure)->~Closure(); };
  return Variable(std::move(value), std::move(node));
}

}  // namespace plumb
