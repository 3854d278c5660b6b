#pragma once

#include "autograd/node.h"
#include "engine/tensor.h"

namespace plumb {

/// A Tensor together with the op that made it, so that backward() can find its way. A Variable made from a Tensor is a
/// constant; one made by leaf() collects a gradient. Copying shares both.
class Variable {
 public:
  Variable() = default;
  /// A constant: no gradient flows to it.
  Variable(Tensor value) : value_(std::move(value)) {}
  Variable(Tensor value, Ref<Node> node) : value_(std::move(value)), node_(std::move(node)) {}

  /// A leaf whose gradient is wanted. The gradient is kept in f32 (f64 for f64). Throws DTypeError unless floating.
  static Variable leaf(Tensor value);

  bool defined() const { return value_.defined(); }
  const Tensor& value() const { return value_; }
  const Shape& shape() const { return value_.shape(); }
  DType dtype() const { return value_.dtype(); }
  Device device() const { return value_.device(); }
  int64_t rank() const { return value_.rank(); }
  int64_t size(int64_t dim) const { return value_.size(dim); }
  int64_t numel() const { return value_.numel(); }

  bool requires_grad() const { return bool(node_); }
  bool is_leaf() const { return node_ && node_->is_leaf(); }
  /// The same value as a constant.
  Variable detach() const { return Variable(value_); }

  /// Gradient of a leaf since the last zero_grad; undefined when nothing has arrived.
  Tensor grad() const { return node_ && node_->has_grad ? node_->grad : Tensor(); }
  /// Forgets the gradient but keeps its memory. No-op unless a leaf.
  void zero_grad();
  /// Accumulates into `storage` (a view into an arena, of this shape, f32 or f64) from now on. Throws unless a leaf of
  /// that shape.
  void use_grad_storage(Tensor storage);

  const Ref<Node>& node() const { return node_; }

 private:
  Tensor value_;
  Ref<Node> node_;
};

}  // namespace plumb
