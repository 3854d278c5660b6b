#include "align/worlds/gaussians2d.h"

#include <cmath>
#include <numbers>

#include "engine/format.h"
#include "engine/ops/random/random.h"
#include "engine/require.h"

namespace plumb {
namespace {

void check_labels(const Tensor& labels, int64_t classes) {
  require<ShapeError>(labels.rank() == 1 && labels.dtype() == DType::i64, "gaussians2d: labels must be i64 [N]; {}",
                      labels);
  for (int64_t label : labels.to_vector<int64_t>())
    require<IndexError>(label >= 0 && label < classes, "gaussians2d: labels must be in [0, {}) ({})", classes, label);
}

}  // namespace

Gaussians2d::Gaussians2d(const Gaussians2dOptions& options) : options_(options) {
  require<ValueError>(options.classes >= 2, "gaussians2d: classes must be at least 2, a class needs a neighbour ({})",
                      options.classes);
  require<ValueError>(options.radius > 0 && std::isfinite(options.radius), "gaussians2d: radius must be positive ({})",
                      options.radius);
  require<ValueError>(options.sigma > 0 && std::isfinite(options.sigma), "gaussians2d: sigma must be positive ({})",
                      options.sigma);
  require<ValueError>(options.noise_fraction >= 0 && options.noise_fraction <= 1,
                      "gaussians2d: noise_fraction must be in [0, 1] ({})", options.noise_fraction);
  require<ValueError>(options.inflation > 0 && std::isfinite(options.inflation),
                      "gaussians2d: inflation must be positive ({})", options.inflation);
  for (int64_t label = 0; label < options.classes; ++label) {
    clean_.emplace_back(std::vector<Mixture2d::Component>{{1, center(label)}}, options.sigma);
    noisy_.emplace_back(std::vector<Mixture2d::Component>{{1 - options.noise_fraction, center(label)},
                                                          {options.noise_fraction / 2, center(neighbor(label, 0))},
                                                          {options.noise_fraction / 2, center(neighbor(label, 1))}},
                        options.sigma * options.inflation);
  }
}

std::array<double, 2> Gaussians2d::center(int64_t label) const {
  const double angle = 2 * std::numbers::pi * double(label) / double(options_.classes);
  return {options_.radius * std::cos(angle), options_.radius * std::sin(angle)};
}

Tensor Gaussians2d::centers() const {
  Tensor out = empty({classes(), 2});
  for (int64_t label = 0; label < classes(); ++label)
    for (int64_t d = 0; d < 2; ++d) out.mutable_data<float>()[2 * label + d] = float(center(label)[size_t(d)]);
  return out;
}

int64_t Gaussians2d::neighbor(int64_t label, int64_t side) const {
  return (label + (side == 0 ? 1 : classes() - 1)) % classes();
}

Tensor Gaussians2d::sample_from(const std::vector<Mixture2d>& mixtures, const Tensor& labels,
                                const RandomKey& key) const {
  check_labels(labels, classes());
  const std::vector<int64_t> label = labels.to_vector<int64_t>();
  const int64_t count = labels.size(0);
  const std::vector<double> which = rand(key.fork("component"), {count, 1}, DType::f64).to_vector<double>();
  Tensor x = randn(key.fork("position"), {count, 2});
  float* points = x.mutable_data<float>();
  for (int64_t i = 0; i < count; ++i) {
    const Mixture2d& mixture = mixtures[size_t(label[size_t(i)])];
    size_t chosen = 0;
    double rest = which[size_t(i)] - mixture.components()[0].weight;
    while (rest >= 0 && chosen + 1 < mixture.components().size()) rest -= mixture.components()[++chosen].weight;
    for (int64_t d = 0; d < 2; ++d)
      points[2 * i + d] =
          float(mixture.components()[chosen].center[size_t(d)] + mixture.width() * double(points[2 * i + d]));
  }
  return x;
}

Tensor Gaussians2d::sample_clean(const Tensor& labels, const RandomKey& key) const {
  return sample_from(clean_, labels, key);
}

Tensor Gaussians2d::sample_noisy(const Tensor& labels, const RandomKey& key) const {
  return sample_from(noisy_, labels, key);
}

Tensor Gaussians2d::exact_noise(const std::vector<Mixture2d>& mixtures, const NoiseSchedule& schedule, const Tensor& x,
                                const Tensor& t, const Tensor& labels) const {
  require<ShapeError>(x.rank() == 2 && x.size(1) == 2 && t.numel() == x.size(0) && labels.numel() == x.size(0),
                      "gaussians2d: points must be [N, 2] with N timesteps and labels; x {}, t {}, labels {}", x, t,
                      labels);
  check_labels(labels, classes());
  const std::vector<int64_t> label = labels.to_vector<int64_t>(), step = t.to_vector<int64_t>();
  const std::vector<double> points = x.to_vector<double>();
  Tensor out = empty(x.shape(), x.dtype());
  visit_dtype(TypeList<float, double>{}, x.dtype(), "gaussians2d", [&]<class T>() {
    T* noise = out.mutable_data<T>();
    for (size_t i = 0; i < label.size(); ++i) {
      const double abar = schedule.alpha_cumprod(step[i]);
      const std::array<double, 2> score = mixtures[size_t(label[i])].score({points[2 * i], points[2 * i + 1]}, abar);
      for (size_t d = 0; d < 2; ++d) noise[2 * i + d] = T(-std::sqrt(1 - abar) * score[d]);
    }
  });
  return out.to(x.device());
}

Tensor Gaussians2d::clean_noise(const NoiseSchedule& schedule, const Tensor& x, const Tensor& t,
                                const Tensor& labels) const {
  return exact_noise(clean_, schedule, x, t, labels);
}

Tensor Gaussians2d::noisy_noise(const NoiseSchedule& schedule, const Tensor& x, const Tensor& t,
                                const Tensor& labels) const {
  return exact_noise(noisy_, schedule, x, t, labels);
}

Tensor labels_by_class(int64_t classes, int64_t count) {
  Tensor labels = empty({classes * count}, DType::i64);
  for (int64_t i = 0; i < classes * count; ++i) labels.mutable_data<int64_t>()[i] = i / count;
  return labels;
}

}  // namespace plumb
