#pragma once

#include <memory>

#include "diffusion/denoiser.h"
#include "nn/init.h"
#include "nn/layers/embedding.h"
#include "nn/layers/linear.h"

namespace plumb {

struct PointDenoiserOptions {
  int64_t dimensions = 2;      ///< of a point
  int64_t classes = 6;         ///< 0: unconditional
  int64_t time_features = 32;  ///< sinusoidal, even
  int64_t class_features = 32;
  int64_t hidden = 128;
  int64_t hidden_layers = 3;
};

/// A small network for points: concat(x, sinusoidal time embedding, class embedding) -> hidden_layers x (Linear, SiLU)
/// -> Linear. 42,050 parameters with the defaults. x: [N, dimensions] · condition.labels: i64 [N].
class PointDenoiser final : public Denoiser {
 public:
  /// Throws ValueError for sizes that are not positive or an odd time_features.
  PointDenoiser(const PointDenoiserOptions& options, Init init);
  explicit PointDenoiser(const PointDenoiser&) = default;

  const PointDenoiserOptions& options() const { return options_; }
  Variable predict(const Variable& x, const Tensor& t, const Condition& condition) override;
  void visit(ModuleVisitor& visitor) override;
  std::unique_ptr<Module> clone_module() const override { return std::make_unique<PointDenoiser>(*this); }

 private:
  PointDenoiserOptions options_;
  Embedding class_embedding_;
  ModuleList<Linear> layers_;
};

}  // namespace plumb
