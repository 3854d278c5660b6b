#include "apps/toy2d/guided_reference.h"

#include "autograd/ops.h"

namespace plumb::toy2d {

Variable GuidedReference::away_from(int64_t side, const Variable& x, const Tensor& t, const Condition& condition) {
  const Tensor& labels = condition.labels;
  Tensor beside = labels.device().is_cpu() ? labels.clone() : labels.to(kCpu);
  for (int64_t i = 0; i < beside.numel(); ++i)
    beside.mutable_data<int64_t>()[i] = world_.neighbor(beside.data<int64_t>()[i], side);
  return model_.predict(x, t, {.labels = beside.to(labels.device())});
}

Variable GuidedReference::predict(const Variable& x, const Tensor& t, const Condition& condition) {
  const Variable positive = model_.predict(x, t, condition);
  const Variable negative = (away_from(0, x, t, condition) + away_from(1, x, t, condition)) * 0.5;
  return positive + (positive - negative) * (scale_ - 1);
}

}  // namespace plumb::toy2d
