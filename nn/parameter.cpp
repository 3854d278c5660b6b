#include "nn/parameter.h"

#include "engine/format.h"
#include "engine/ops/layout/view.h"
#include "engine/require.h"
#include "nn/shape_only.h"

namespace plumb {
namespace {

/// x.to(device) would be contiguous; a weight in channels-last order keeps it.
Tensor moved(const Tensor& x, Device device) {
  const bool channels_last = !x.is_contiguous() && x.is_channels_last();
  if (!channels_last) return x.to(device);
  constexpr int64_t kChannels = 1, kHeight = 2, kWidth = 3;
  const Tensor rows = permute(x, {0, kHeight, kWidth, kChannels}).to(device);
  return permute(rows, {0, 3, 1, 2});
}

}  // namespace

Parameter::Parameter(Tensor value)
    : leaf_(Variable::leaf(std::move(value))), variable_(leaf_), has_memory_(plumb::has_memory(variable_.value())) {}

Parameter::Parameter(const Parameter& other) {
  if (!other.defined()) return;
  *this = Parameter(other.has_memory() ? other.value().clone() : other.variable_.value());
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
  has_memory_ = plumb::has_memory(variable_.value());
}

void Parameter::raise_without_memory() const {
  raise<Error>("parameter: a weight must be loaded before it is used; {} without values", variable_.value());
}

void Parameter::assign(const Tensor& weight) {
  require<ShapeError>(weight.shape() == shape(), "assign: weight must have the parameter's shape ({}); {}", shape(),
                      weight);
  if (!has_memory()) set_value(empty(shape(), dtype()));
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
  Tensor value = moved(this->value(), device), master = has_master() ? moved(master_, device) : Tensor();
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
