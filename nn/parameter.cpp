#include "nn/parameter.h"

#include "engine/format.h"
#include "engine/require.h"

namespace plumb {

Parameter::Parameter(Tensor value) : leaf_(Variable::leaf(std::move(value))), variable_(leaf_) {}

Parameter::Parameter(const Parameter& other) {
  if (!other.defined()) return;
  *this = Parameter(other.value().clone());
  if (other.has_master()) master_ = other.master_.clone();
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
}

void Parameter::assign(const Tensor& weight) {
  require<ShapeError>(weight.shape() == shape(), "assign: weight must have the parameter's shape ({}); {}", shape(),
                      weight);
  Tensor value = leaf_.value();
  value.copy_(weight);
  if (has_master()) master_.copy_(weight);
}

void Parameter::to_dtype(DType dtype, bool keep_master) {
  if (!defined()) return;
  const Tensor exact = weight();
  const bool wants_master = keep_master && size_of(dtype) == 2;
  const Tensor master = wants_master ? exact.to(DType::f32) : Tensor();
  if (dtype != this->dtype()) set_value(exact.to(dtype));
  master_ = master;
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
