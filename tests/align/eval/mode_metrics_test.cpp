#include "align/eval/mode_metrics.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/error.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "engine/parallel.h"

using namespace plumb;

namespace {

constexpr int64_t kCount = 800;

Tensor clean_samples(const Gaussians2d& world, uint64_t seed) {
  return reshape(world.sample_clean(labels_by_class(world.classes(), kCount), RandomKey(seed)),
                 {world.classes(), kCount, 2});
}

}  // namespace

TEST_CASE("mode metrics: fresh clean samples score as the truth") {
  const Gaussians2d world;
  const ModeMetrics m = ModeReference(world, kCount, RandomKey{1}).evaluate(clean_samples(world, 2));
  CHECK(m.accuracy > 0.995);
  CHECK(m.center_distance < 0.12);
  CHECK(std::abs(m.spread - 1) < 0.05);
  CHECK(m.sw2 < 0.15);
  CHECK(m.energy < 0.02);
  CHECK(m.outliers < 0.002);
  CHECK(m.overlap < 0.005);
}

TEST_CASE("mode metrics: a shift along the radius is measured in sigma") {
  const Gaussians2d world;
  Tensor moved = clean_samples(world, 2);
  const Tensor shift = reshape(world.centers() * (0.5 * 0.3 / 2.0), {6, 1, 2});  // half a sigma outward
  const ModeMetrics base = ModeReference(world, kCount, RandomKey{1}).evaluate(moved);
  const ModeMetrics m = ModeReference(world, kCount, RandomKey{1}).evaluate(moved + shift);
  CHECK(std::abs(m.radial_shift - base.radial_shift - 0.5) < 1e-5);
  // W2 between equal shapes half a sigma apart, projected: 0.5 / sqrt(2)
  CHECK(std::abs(m.sw2 - 0.5 / std::sqrt(2.0)) < 0.05);
}

TEST_CASE("mode metrics: a collapsed model has accuracy one, spread zero and a large distance") {
  const Gaussians2d world;
  const Tensor points = expand(reshape(world.centers(), {6, 1, 2}), {6, kCount, 2}).contiguous();
  const ModeMetrics m = ModeReference(world, kCount, RandomKey{1}).evaluate(points);
  CHECK(m.accuracy == doctest::Approx(1));
  CHECK(m.spread < 1e-6);
  CHECK(std::abs(m.sw2 - 1) < 0.05);  // W2 from a point to N(0, 1) is 1
}

TEST_CASE("mode metrics: energy distance agrees with a direct double sum") {
  const Gaussians2d world({.classes = 2});
  const int64_t n = 37;
  const ModeReference reference(world, n, RandomKey{1});
  const Tensor x = randn(RandomKey{9}, {2, n, 2});
  const Tensor y = reshape(world.sample_clean(labels_by_class(2, n), RandomKey{1}), {2, n, 2});
  double expected = 0;
  auto mean_distance = [&](const float* a, const float* b) {
    double total = 0;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j)
        total += std::hypot(double(a[2 * i]) - double(b[2 * j]), double(a[2 * i + 1]) - double(b[2 * j + 1]));
    return total / double(n * n);
  };
  for (int64_t k = 0; k < 2; ++k) {
    const float *a = x.data<float>() + 2 * n * k, *b = y.data<float>() + 2 * n * k;
    expected += (2 * mean_distance(a, b) - mean_distance(a, a) - mean_distance(b, b)) / 0.3 / 2;
  }
  CHECK(std::abs(reference.evaluate(x).energy - expected) <= 1e-4 * expected);
}

TEST_CASE("mode metrics: NaN samples give NaN distances, and a wrong shape is refused") {
  const Gaussians2d world;
  Tensor bad = clean_samples(world, 2);
  bad.mutable_data<float>()[0] = NAN;
  CHECK(std::isnan(ModeReference(world, kCount, RandomKey{1}).evaluate(bad).sw2));
  CHECK_THROWS_WITH_AS(ModeReference(world, kCount, RandomKey{1}).evaluate(zeros({6, 3, 2})),
                       "metrics: samples must be [6, 800, 2]; f32[6, 3, 2]", ShapeError);
}

TEST_CASE("mode metrics: the same bits for any thread count") {
  const Gaussians2d world;
  const Tensor x = clean_samples(world, 4) * 1.1;
  auto run = [&](int threads) {
    set_num_threads(threads);
    return ModeReference(world, kCount, RandomKey{1}).evaluate(x);
  };
  const ModeMetrics one = run(1), three = run(3);
  set_num_threads(2);
  CHECK(one.sw2 == three.sw2);
  CHECK(one.energy == three.energy);
  CHECK(one.spread == three.spread);
}
