#pragma once

#include <string>

#include "diffusion/denoiser.h"

namespace plumb {

/// A network with one of its adapters switched on ("none": all off), as a denoiser of its own: student, initial model
/// and moving reference of a LoRA run are three views of one network. Refers to the network; a clone does, too.
class AdapterView final : public Denoiser {
 public:
  AdapterView(Denoiser& network, std::string adapter) : network_(network), adapter_(std::move(adapter)) {}
  explicit AdapterView(const AdapterView&) = default;

  Variable predict(const Variable& x, const Tensor& t, const Condition& condition) override;
  void visit(ModuleVisitor& visitor) override { network_.visit(visitor); }
  std::unique_ptr<Module> clone_module() const override { return std::make_unique<AdapterView>(*this); }

 private:
  Denoiser& network_;
  std::string adapter_;
};

}  // namespace plumb
