#pragma once

#include "nn/init.h"
#include "nn/module.h"

namespace plumb {

/// Rows of a table: y[i] = W[index[i]].
/// index: [...] i64 · W: [count, features] · y: [..., features]. Differentiable in W. Starts as torch.nn.Embedding:
/// N(0, 1). Throws IndexError when an index is outside [0, count).
class Embedding final : public Layer<Embedding> {
 public:
  Embedding(int64_t count, int64_t features, Init init, DType dtype = DType::f32);
  explicit Embedding(const Embedding&) = default;

  Variable forward(const Tensor& index) const;
  void visit(ModuleVisitor& visitor) override;

  Parameter& weight() { return weight_; }

 private:
  Parameter weight_;
};

}  // namespace plumb
