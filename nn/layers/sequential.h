#pragma once

#include <memory>
#include <utility>

#include "nn/module.h"

namespace plumb {

/// A module of one Variable: what Sequential holds. Wraps any module with `Variable forward(const Variable&) const`.
class Stage : public Module {
 public:
  virtual Variable forward(const Variable& x) const = 0;
};

/// Stages one after the other; children are named "0", "1", … as in torch.nn.Sequential.
///   Sequential net;
///   net.add<Linear>(2, 128, generator).add<SiLU>().add<Linear>(128, 2, generator);
class Sequential final : public Layer<Sequential> {
 public:
  Sequential() = default;
  explicit Sequential(const Sequential&) = default;

  /// Builds an M at the end.
  template <class M, class... Args>
  Sequential& add(Args&&... args) {
    stages_.push_back(std::make_unique<StageOf<M>>(std::in_place, std::forward<Args>(args)...));
    return *this;
  }
  int64_t size() const { return int64_t(stages_.size()); }

  Variable forward(const Variable& x) const;
  void visit(ModuleVisitor& visitor) override;

 private:
  template <class M>
  class StageOf final : public Stage {
   public:
    template <class... Args>
    explicit StageOf(std::in_place_t, Args&&... args) : module_(std::forward<Args>(args)...) {}
    Variable forward(const Variable& x) const override { return module_.forward(x); }
    void visit(ModuleVisitor& visitor) override { module_.visit(visitor); }
    std::unique_ptr<Module> clone_module() const override { return std::make_unique<StageOf>(std::in_place, module_); }

   private:
    M module_;
  };

  ModuleList<Stage> stages_;
};

}  // namespace plumb
