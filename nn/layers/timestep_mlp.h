#pragma once

#include "nn/layers/activation_kind.h"
#include "nn/layers/linear.h"

namespace plumb {

/// Two linear layers that turn the sinusoids of a timestep into features, diffusers' TimestepEmbedding:
///   y = linear_2(act(linear_1(x)))
/// x: [N, in] · y: [N, features]. Differentiable.
class TimestepMlp final : public Layer<TimestepMlp> {
 public:
  TimestepMlp(int64_t in_features, int64_t features, Init init, ActivationKind act = ActivationKind::silu)
      : linear_1_(in_features, features, init), linear_2_(features, features, init), act_(act) {}
  explicit TimestepMlp(const TimestepMlp&) = default;

  Variable forward(const Variable& x) const { return linear_2_.forward(activate(act_, linear_1_.forward(x))); }
  void visit(ModuleVisitor& visitor) override { visitor("linear_1", linear_1_), visitor("linear_2", linear_2_); }

 private:
  Linear linear_1_, linear_2_;
  ActivationKind act_;
};

}  // namespace plumb
