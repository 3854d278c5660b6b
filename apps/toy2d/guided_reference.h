#pragma once

#include "align/worlds/gaussians2d.h"
#include "diffusion/point_denoiser.h"

namespace plumb::toy2d {

/// The control beside training-free DDSPO: a model sampled with guidance away from c-, where c- is either neighbour
/// with equal weight, as in the preference pairs.
///   prediction = f(x, c) + (scale - 1) (f(x, c) - (f(x, c-_0) + f(x, c-_1)) / 2)
/// Refers to `model` and `world`, which must outlive it.
class GuidedReference final : public Denoiser {
 public:
  GuidedReference(PointDenoiser& model, const Gaussians2d& world, double scale)
      : model_(model), world_(world), scale_(scale) {}
  explicit GuidedReference(const GuidedReference&) = default;

  Variable predict(const Variable& x, const Tensor& t, const Condition& condition) override;
  void visit(ModuleVisitor& visitor) override { model_.visit(visitor); }
  std::unique_ptr<Module> clone_module() const override { return std::make_unique<GuidedReference>(*this); }

 private:
  Variable away_from(int64_t side, const Variable& x, const Tensor& t, const Condition& condition);

  PointDenoiser& model_;
  const Gaussians2d& world_;
  double scale_;
};

}  // namespace plumb::toy2d
