#include "align/eval/mode_metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "engine/format.h"
#include "engine/parallel.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr int64_t kDirections = 128;

/// Projections on evenly spaced directions of the half circle, each run sorted.
std::vector<float> sorted_projections(const float* points, int64_t count) {
  std::vector<float> all(size_t(kDirections * count));
  for (int64_t d = 0; d < kDirections; ++d) {
    const double angle = std::numbers::pi * (double(d) + 0.5) / double(kDirections);
    const float c = float(std::cos(angle)), s = float(std::sin(angle));
    float* run = all.data() + d * count;
    for (int64_t i = 0; i < count; ++i) run[i] = c * points[2 * i] + s * points[2 * i + 1];
    std::sort(run, run + count);
  }
  return all;
}

/// Mean over all pairs of |a_i - b_j|.
double mean_distance(const float* a, const float* b, int64_t count) {
  // Coordinates apart, so that the inner loop vectorises; row sums in float, their sum in double.
  std::vector<float> bx(static_cast<size_t>(count)), by(static_cast<size_t>(count));
  for (int64_t j = 0; j < count; ++j) {
    bx[size_t(j)] = b[2 * j];
    by[size_t(j)] = b[2 * j + 1];
  }
  constexpr int64_t kLanes = 8;
  double total = 0;
  for (int64_t i = 0; i < count; ++i) {
    const float x = a[2 * i], y = a[2 * i + 1];
    float lanes[kLanes] = {};
    const int64_t whole = count / kLanes * kLanes;
    for (int64_t j = 0; j < whole; j += kLanes)
      for (int64_t k = 0; k < kLanes; ++k) {
        const float dx = bx[size_t(j + k)] - x, dy = by[size_t(j + k)] - y;
        lanes[k] += std::sqrt(dx * dx + dy * dy);
      }
    for (int64_t j = whole; j < count; ++j) {
      const float dx = bx[size_t(j)] - x, dy = by[size_t(j)] - y;
      lanes[0] += std::sqrt(dx * dx + dy * dy);
    }
    for (float lane : lanes) total += double(lane);
  }
  return total / (double(count) * double(count));
}

double sliced_wasserstein2(const std::vector<float>& a, const std::vector<float>& b) {
  double total = 0;
  for (size_t i = 0; i < a.size(); ++i) total += double(a[i] - b[i]) * double(a[i] - b[i]);
  return std::sqrt(total / double(a.size()));
}

double squared_distance(const float* point, std::array<double, 2> center) {
  const double dx = double(point[0]) - center[0], dy = double(point[1]) - center[1];
  return dx * dx + dy * dy;
}

/// accuracy, outliers, overlap of one class.
void count_shares(const Gaussians2d& world, int64_t label, const float* points, int64_t count, ModeMetrics& out) {
  const double limit = 16 * world.options().sigma * world.options().sigma;
  for (int64_t i = 0; i < count; ++i) {
    double nearest = std::numeric_limits<double>::infinity();
    int64_t nearest_label = -1;
    for (int64_t k = 0; k < world.classes(); ++k) {
      const double distance = squared_distance(points + 2 * i, world.center(k));
      if (distance < nearest) {
        nearest = distance;
        nearest_label = k;
      }
    }
    const double own = squared_distance(points + 2 * i, world.center(label));
    const double beside = std::min(squared_distance(points + 2 * i, world.center(world.neighbor(label, 0))),
                                   squared_distance(points + 2 * i, world.center(world.neighbor(label, 1))));
    out.accuracy += nearest_label == label;
    out.outliers += !(nearest <= limit);
    out.overlap += beside < own;
  }
  out.accuracy /= double(count);
  out.outliers /= double(count);
  out.overlap /= double(count);
}

/// center_distance, radial_shift, spread of one class.
void measure_moments(const Gaussians2d& world, int64_t label, const float* points, int64_t count, ModeMetrics& out) {
  double mean[2] = {}, square = 0;
  for (int64_t i = 0; i < 2 * count; ++i) mean[i % 2] += double(points[i]) / double(count);
  for (int64_t i = 0; i < 2 * count; ++i)
    square += (double(points[i]) - mean[i % 2]) * (double(points[i]) - mean[i % 2]);
  const std::array<double, 2> center = world.center(label);
  const double sigma = world.options().sigma, radius = world.options().radius;
  const double dx = mean[0] - center[0], dy = mean[1] - center[1];
  out.center_distance = std::sqrt(dx * dx + dy * dy) / sigma;
  out.radial_shift = (dx * center[0] + dy * center[1]) / (radius * sigma);
  out.spread = std::sqrt(square / (2 * double(count))) / sigma;
}

}  // namespace

ModeReference::ModeReference(const Gaussians2d& world, int64_t per_class, const RandomKey& key)
    : world_(world),
      per_class_(per_class),
      projections_(size_t(world.classes())),
      self_distance_(size_t(world.classes())) {
  require<ValueError>(per_class >= 1, "metrics: samples per class must be at least 1 ({})", per_class);
  points_ = world.sample_clean(labels_by_class(world.classes(), per_class), key).to_vector<float>();
  parallel_for(world.classes(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t label = begin; label < end; ++label) {
      const float* points = points_.data() + 2 * label * per_class_;
      projections_[size_t(label)] = sorted_projections(points, per_class_);
      self_distance_[size_t(label)] = mean_distance(points, points, per_class_);
    }
  });
}

ModeMetrics ModeReference::evaluate_class(int64_t label, const float* points) const {
  ModeMetrics metrics;
  count_shares(world_, label, points, per_class_, metrics);
  measure_moments(world_, label, points, per_class_, metrics);
  const double sigma = world_.options().sigma;
  if (!std::isfinite(metrics.spread)) {  // sorting NaN has no meaning
    metrics.sw2 = metrics.energy = std::numeric_limits<double>::quiet_NaN();
    return metrics;
  }
  metrics.sw2 = sliced_wasserstein2(sorted_projections(points, per_class_), projections_[size_t(label)]) / sigma;
  const float* clean = points_.data() + 2 * label * per_class_;
  metrics.energy = (2 * mean_distance(points, clean, per_class_) - mean_distance(points, points, per_class_) -
                    self_distance_[size_t(label)]) /
                   sigma;
  return metrics;
}

ModeMetrics ModeReference::evaluate(const Tensor& samples) const {
  require<ShapeError>(samples.shape() == Shape({world_.classes(), per_class_, 2}),
                      "metrics: samples must be [{}, {}, 2]; {}", world_.classes(), per_class_, samples);
  const std::vector<float> points = samples.to_vector<float>();
  std::vector<ModeMetrics> by_class(static_cast<size_t>(world_.classes()));
  parallel_for(world_.classes(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t label = begin; label < end; ++label)
      by_class[size_t(label)] = evaluate_class(label, points.data() + 2 * label * per_class_);
  });
  ModeMetrics mean;
  constexpr double ModeMetrics::*kAll[] = {
      &ModeMetrics::accuracy, &ModeMetrics::center_distance, &ModeMetrics::radial_shift, &ModeMetrics::spread,
      &ModeMetrics::sw2,      &ModeMetrics::energy,          &ModeMetrics::outliers,     &ModeMetrics::overlap};
  for (auto member : kAll)
    for (const ModeMetrics& metrics : by_class) mean.*member += metrics.*member / double(world_.classes());
  return mean;
}

}  // namespace plumb
