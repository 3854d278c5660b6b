#include "align/worlds/mixture2d.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

double variance(double width, double abar) { return abar * width * width + (1 - abar); }

/// log of weight * exp(-|x - alpha c|^2 / 2v): the component's share, up to what all have in common.
double log_share(const Mixture2d::Component& component, std::array<double, 2> x, double alpha, double v) {
  const double dx = x[0] - alpha * component.center[0], dy = x[1] - alpha * component.center[1];
  return std::log(component.weight) - (dx * dx + dy * dy) / (2 * v);
}

}  // namespace

Mixture2d::Mixture2d(std::vector<Component> components, double width)
    : components_(std::move(components)), width_(width) {
  require<ValueError>(!components_.empty(), "mixture: needs at least one component");
  require<ValueError>(width > 0 && std::isfinite(width), "mixture: width must be positive ({})", width);
  double total = 0;
  for (const Component& component : components_) {
    require<ValueError>(component.weight >= 0, "mixture: weights must not be negative ({})", component.weight);
    total += component.weight;
  }
  require<ValueError>(total > 0, "mixture: at least one weight must be positive");
  for (Component& component : components_) component.weight /= total;
  std::erase_if(components_, [](const Component& component) { return component.weight == 0; });
}

Tensor Mixture2d::log_density(const Tensor& x, double abar) const {
  require<ShapeError>(x.rank() == 2 && x.size(1) == 2, "mixture: points must be [N, 2]; {}", x);
  const double alpha = std::sqrt(abar), v = variance(width_, abar);
  const double normaliser = std::log(2 * std::numbers::pi * v);
  const Tensor dense = x.to(kCpu).contiguous();
  Tensor out = empty({x.size(0)}, x.dtype());
  visit_dtype(TypeList<float, double>{}, x.dtype(), "mixture", [&]<class T>() {
    for (int64_t i = 0; i < x.size(0); ++i) {
      const std::array<double, 2> point{double(dense.data<T>()[2 * i]), double(dense.data<T>()[2 * i + 1])};
      double top = -std::numeric_limits<double>::infinity(), sum = 0;
      for (const Component& component : components_) top = std::max(top, log_share(component, point, alpha, v));
      for (const Component& component : components_) sum += std::exp(log_share(component, point, alpha, v) - top);
      out.mutable_data<T>()[i] = T(top + std::log(sum) - normaliser);
    }
  });
  return out.to(x.device());
}

std::array<double, 2> Mixture2d::score(std::array<double, 2> x, double abar) const {
  const double alpha = std::sqrt(abar), v = variance(width_, abar);
  double top = -std::numeric_limits<double>::infinity();
  for (const Component& component : components_) top = std::max(top, log_share(component, x, alpha, v));
  double sum = 0, pull_x = 0, pull_y = 0;
  for (const Component& component : components_) {
    const double share = std::exp(log_share(component, x, alpha, v) - top);
    sum += share;
    pull_x += share * (alpha * component.center[0] - x[0]);
    pull_y += share * (alpha * component.center[1] - x[1]);
  }
  return {pull_x / (sum * v), pull_y / (sum * v)};
}

}  // namespace plumb
