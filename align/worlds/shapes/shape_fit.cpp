#include "align/worlds/shapes/shape_fit.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace plumb::shapes {
namespace {

constexpr double kBlurStep = 0.5;

struct Moments {
  double area = 0, x = 0, y = 0;
};

Moments moments_of(const Coverage& coverage, const std::vector<bool>& counts) {
  Moments m;
  for (int64_t i = 0; i < coverage.width * coverage.height; ++i) {
    if (!counts[size_t(i)]) continue;
    const double value = coverage.values[size_t(i)];
    m.area += value;
    m.x += value * (double(coverage.left + i % coverage.width) + 0.5);
    m.y += value * (double(coverage.top + i / coverage.width) + 0.5);
  }
  m.x /= m.area;
  m.y /= m.area;
  return m;
}

/// Area and centre of mass of each shape of radius 1, measured on a large drawing.
const std::array<Moments, kShapeKinds>& unit_moments() {
  static const std::array<Moments, kShapeKinds> table = [] {
    constexpr int64_t kSide = 128;
    constexpr double kRadius = 60;
    std::array<Moments, kShapeKinds> all;
    for (int kind = 0; kind < kShapeKinds; ++kind) {
      const Object object{.shape = ShapeKind(kind), .x = kSide / 2, .y = kSide / 2, .radius = kRadius};
      const Moments m = moments_of(coverage_of(object, {.width = kSide, .height = kSide}, 0),
                                   std::vector<bool>(size_t(kSide * kSide), true));
      all[size_t(kind)] = {m.area / (kRadius * kRadius), (m.x - kSide / 2) / kRadius, (m.y - kSide / 2) / kRadius};
    }
    return all;
  }();
  return table;
}

/// Sets strength and misfit of a drawing.
void compare(ShapeFit& fit, const Patch& patch, const Coverage& drawn) {
  double cross = 0, square = 0, measured = 0;
  for (size_t i = 0; i < drawn.values.size(); ++i) {
    if (!patch.counts[i]) continue;
    cross += drawn.values[i] * patch.coverage.values[i];
    square += drawn.values[i] * drawn.values[i];
    measured += patch.coverage.values[i] * patch.coverage.values[i];
  }
  fit.strength = square > 0 ? std::clamp(cross / square, 0.7, 1.15) : 1;
  fit.misfit = (measured - 2 * fit.strength * cross + fit.strength * fit.strength * square) / measured;
}

Coverage window_of(const Patch& patch) {
  const Coverage& c = patch.coverage;
  return {.left = c.left, .top = c.top, .width = c.width, .height = c.height};
}

void compare(ShapeFit& fit, const Patch& patch) {
  compare(fit, patch, coverage_of(fit.object, window_of(patch), fit.blur));
}

/// Tries a step up and down on one number; halves the step when neither is better.
void descend(ShapeFit& best, const Patch& patch, double ShapeFit::*blur, double Object::*number, double& step) {
  for (const double sign : {1.0, -1.0}) {
    ShapeFit other = best;
    double& value = number ? other.object.*number : other.*blur;
    value = std::max(value + sign * step, number ? 1.0 : 0.0);
    compare(other, patch);
    if (other.misfit >= best.misfit) continue;
    best = other;
    return;
  }
  step /= 2;
}

}  // namespace

ShapeFit fit_shape(ShapeKind shape, const Patch& patch, double most_blur) {
  const Moments measured = moments_of(patch.coverage, patch.counts), &unit = unit_moments()[size_t(shape)];
  ShapeFit best{.object = {.shape = shape}};
  best.object.radius = std::sqrt(measured.area / unit.area);
  best.object.x = measured.x - unit.x * best.object.radius;
  best.object.y = measured.y - unit.y * best.object.radius;
  const Coverage sharp = coverage_of(best.object, window_of(patch), 0);
  for (double blur = 0; blur <= most_blur; blur += kBlurStep) {
    ShapeFit fit{.object = best.object, .blur = blur};
    Coverage drawn = sharp;
    blur_picture(drawn.values, drawn.height, drawn.width, 1, blur);
    compare(fit, patch, drawn);
    if (fit.misfit < best.misfit) best = fit;
  }
  return best;
}

ShapeFit refined(ShapeFit fit, const Patch& patch) {
  constexpr int kRounds = 9;
  constexpr double kSmallest = 0.03;  // pixels
  std::array<double, 4> steps = {0.3, 0.3, 0.3, kBlurStep / 2};
  for (int round = 0; round<kRounds&& * std::max_element(steps.begin(), steps.end())> kSmallest; ++round) {
    descend(fit, patch, nullptr, &Object::radius, steps[0]);
    descend(fit, patch, nullptr, &Object::x, steps[1]);
    descend(fit, patch, nullptr, &Object::y, steps[2]);
    descend(fit, patch, &ShapeFit::blur, nullptr, steps[3]);
  }
  return fit;
}

}  // namespace plumb::shapes
