#include "diffusion/point_denoiser.h"

#include <vector>

#include "autograd/ops.h"
#include "engine/format.h"
#include "engine/require.h"
#include "nn/layers/timestep_embedding.h"

namespace plumb {
namespace {

PointDenoiserOptions checked(const PointDenoiserOptions& options) {
  auto positive = [](const char* name, int64_t value) {
    require<ValueError>(value >= 1, "point denoiser: {} must be at least 1 ({})", name, value);
  };
  positive("dimensions", options.dimensions);
  positive("hidden", options.hidden);
  positive("hidden_layers", options.hidden_layers);
  positive("class_features", options.class_features);
  require<ValueError>(options.classes >= 0, "point denoiser: classes must not be negative ({})", options.classes);
  require<ValueError>(options.time_features >= 2 && options.time_features % 2 == 0,
                      "point denoiser: time_features must be even and positive ({})", options.time_features);
  return options;
}

}  // namespace

PointDenoiser::PointDenoiser(const PointDenoiserOptions& options, Init init)
    : options_(checked(options)),
      class_embedding_(std::max<int64_t>(options.classes, 1), options.class_features, init) {
  int64_t features = options.dimensions + options.time_features + (options.classes > 0 ? options.class_features : 0);
  for (int64_t i = 0; i < options.hidden_layers; ++i) {
    layers_.push_back(std::make_unique<Linear>(features, options.hidden, init));
    features = options.hidden;
  }
  layers_.push_back(std::make_unique<Linear>(features, options.dimensions, init));
}

Variable PointDenoiser::predict(const Variable& x, const Tensor& t, const Condition& condition) {
  require<ShapeError>(x.rank() == 2 && x.size(1) == options_.dimensions && t.rank() == 1 && t.size(0) == x.size(0),
                      "point denoiser: x must be [N, {}] with N timesteps; x {}, t {}", options_.dimensions, x.value(),
                      t);
  const DType compute = layers_.front()->weight().dtype();
  const Variable time = timestep_embedding(t, options_.time_features).to(compute);
  std::vector<Variable> features{to(x, compute), time};
  if (options_.classes > 0) {
    require<ValueError>(condition.labels.defined() && condition.labels.size(0) == x.size(0),
                        "point denoiser: needs one class label per point; labels {}, x {}", condition.labels,
                        x.value());
    features.push_back(class_embedding_.forward(condition.labels));
  }
  Variable h = layers_[0]->forward(features, FusedActivation::silu);
  for (size_t i = 1; i + 1 < layers_.size(); ++i) h = layers_[i]->forward(h, FusedActivation::silu);
  return to(layers_.back()->forward(h), x.dtype());
}

void PointDenoiser::visit(ModuleVisitor& visitor) {
  if (options_.classes > 0) visitor("class_embedding", class_embedding_);
  visitor("layers", layers_);
}

}  // namespace plumb
