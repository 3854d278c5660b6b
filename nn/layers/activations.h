#pragma once

#include "autograd/ops/elementwise.h"
#include "nn/module.h"

// Activation functions as modules without parameters, for Sequential. Elsewhere call the op itself.

namespace plumb {

/// Common part: no members to show.
template <class Self>
class Activation : public Layer<Self> {
 public:
  void visit(ModuleVisitor&) override {}
};

/// x * sigmoid(x).
class SiLU final : public Activation<SiLU> {
 public:
  SiLU() = default;
  explicit SiLU(const SiLU&) = default;
  Variable forward(const Variable& x) const { return silu(x); }
};

/// x Phi(x), exactly or by the tanh formula.
class GELU final : public Activation<GELU> {
 public:
  explicit GELU(GeluForm form = GeluForm::exact) : form_(form) {}
  explicit GELU(const GELU&) = default;
  Variable forward(const Variable& x) const { return gelu(x, form_); }

 private:
  GeluForm form_;
};

/// max(x, 0).
class ReLU final : public Activation<ReLU> {
 public:
  ReLU() = default;
  explicit ReLU(const ReLU&) = default;
  Variable forward(const Variable& x) const { return relu(x); }
};

class Tanh final : public Activation<Tanh> {
 public:
  Tanh() = default;
  explicit Tanh(const Tanh&) = default;
  Variable forward(const Variable& x) const { return tanh(x); }
};

class Sigmoid final : public Activation<Sigmoid> {
 public:
  Sigmoid() = default;
  explicit Sigmoid(const Sigmoid&) = default;
  Variable forward(const Variable& x) const { return sigmoid(x); }
};

}  // namespace plumb
