#include "nn/parameter.h"

#include "engine/format.h"
#include "engine/ops/layout/view.h"
#include "engine/require.h"
#include "nn/shape_only.h"

namespace plumb {
namespace {

/// In the same memory order.
Tensor copy_of(const Tensor& x) {
  Tensor copy = empty_like(x, x.dtype());
  copy.copy_(x);
  return copy;
}

}  // namespace

Parameter::Parameter(Tensor value)
    : leaf_(Variable::leaf(std::move(value))), variable_(leaf_), has_memory_(plumb::has_memory(variable_.value())) {}

Parameter Parameter::of_kernels(const Tensor& value) {
  Parameter parameter(plumb::has_memory(value) ? to_channels_last(value) : value);
  parameter.is_of_kernels_ = true;
  return parameter;
}

Parameter::Parameter(const Parameter& other) {
  if (!other.defined()) return;
  *this = Parameter(other.has_memory() ? copy_of(other.value()) : other.variable_.value());
  is_of_kernels_ = other.is_of_kernels_;
  if (other.has_master()) master_ = copy_of(other.master_);
  set_requires_grad(other.requires_grad());
}

void Parameter::set_requires_grad(bool required) {
  if (!defined() || required == requires_grad()) return;
  leaf_.zero_grad();
  variable_ = required ? leaf_ : leaf_.detach();
}

void Parameter::set_value(Tensor value) {
  const bool required = requires_grad();
  leaf_ = Variable::leaf(std::move(value));
  variable_ = required ? leaf_ : leaf_.detach();
  has_memory_ = plumb::has_memory(variable_.value());
}

void Parameter::raise_without_memory() const {
  raise<Error>("parameter: a weight must be loaded before it is used; {} without values", variable_.value());
}

void Parameter::assign(const Tensor& weight) {
  require<ShapeError>(weight.shape() == shape(), "assign: weight must have the parameter's shape ({}); {}", shape(),
                      weight);
  if (!has_memory()) {
    const Tensor fresh = empty(shape(), dtype());
    set_value(is_of_kernels_ ? to_channels_last(fresh) : fresh);
  }
  Tensor value = leaf_.value();
  value.copy_(weight);
  if (has_master()) master_.copy_(weight);
}

void Parameter::adopt(const Tensor& weight, DType dtype) {
  require<ShapeError>(weight.shape() == shape(), "adopt: weight must have the parameter's shape ({}); {}", shape(),
                      weight);
  require<DTypeError>(is_floating(dtype), "adopt: dtype must be floating ({})", name_of(dtype));
  set_value(weight.to(dtype).contiguous());
  master_ = Tensor();
}

void Parameter::to_dtype(DType dtype, bool keep_master) {
  if (!defined()) return;
  if (!has_memory()) return set_value(shape_only(shape(), dtype));
  const Tensor exact = weight();
  const bool wants_master = keep_master && size_of(dtype) == 2;
  const Tensor master = wants_master ? exact.to(DType::f32) : Tensor();
  if (dtype != this->dtype()) set_value(exact.to(dtype));
  master_ = master;
}

void Parameter::to_device(Device device) {
  if (!defined() || value().device() == device) return;
  Tensor value = this->value().to(device), master = has_master() ? master_.to(device) : Tensor();
  set_value(std::move(value));
  master_ = std::move(master);
}

void Parameter::rebind(Tensor value, Tensor master, Tensor grad) {
  require<Error>(master.defined() == has_master(), "rebind: a master is given exactly when there is one; {}", value);
  require<ShapeError>(value.shape() == shape() && value.dtype() == dtype(),
                      "rebind: memory must match the parameter ({}); {}", this->value(), value);
  value.copy_(this->value());
  if (has_master()) {
    master.copy_(master_);
    master_ = std::move(master);
  }
  const Tensor old_grad = leaf_.grad();
  set_value(std::move(value));
  leaf_.use_grad_storage(std::move(grad));
  if (!old_grad.defined()) return;
  leaf_.node()->grad.copy_(old_grad);
  leaf_.node()->has_grad = true;
}

}  // namespace plumb
