#pragma once

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "align/objective.h"
#include "autograd/backward.h"
#include "diffusion/schedule/noise_schedule.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"

namespace plumb::test {

/// A batch of pairs as an objective reads it, without a network.
struct ObjectiveCase {
  Tensor pred, ref, target, timesteps, labels = {};
};

inline ObjectiveCase make_case(int64_t pairs, DType dtype = DType::f64) {
  const RandomKey key{21};
  const Shape shape{2 * pairs, 3, 2, 2};
  Tensor t = randint(key.fork("t"), 0, 1000, {pairs});
  return {randn(key.fork("pred"), shape, dtype), randn(key.fork("ref"), shape, dtype),
          randn(key.fork("target"), shape, dtype), cat({t, t}, 0)};
}

/// Winners and losers exchanged.
inline ObjectiveCase swapped(const ObjectiveCase& c) {
  const int64_t b = c.pred.size(0) / 2;
  auto swap = [b](const Tensor& x) { return cat({slice(x, 0, b, 2 * b), slice(x, 0, 0, b)}, 0); };
  return {swap(c.pred), swap(c.ref), swap(c.target), c.timesteps};
}

struct Outcome {
  double loss;
  std::vector<double> grad, logit;
};

inline Outcome run(std::string_view name, const ObjectiveCase& c, const ObjectiveSettings& settings = {}) {
  static const NoiseSchedule schedule(NoiseScheduleOptions{});
  const Variable pred = Variable::leaf(c.pred);
  const ObjectiveOutput out = (*make_objective(name, settings))({.pred = pred,
                                                                 .ref = c.ref,
                                                                 .target = c.target,
                                                                 .timesteps = c.timesteps,
                                                                 .alphas_cumprod = schedule.alphas_cumprod(),
                                                                 .labels = c.labels});
  backward(out.loss);
  return {out.loss.value().item(), pred.grad().to_vector<double>(),
          out.logit.defined() ? out.logit.to_vector<double>() : std::vector<double>{}};
}

/// Largest |a - b| as a share of the largest |b|; NaN when anything is.
inline double relative_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double difference = 0, largest = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    const double d = std::abs(a.at(i) - b[i]);
    if (!(d <= difference)) difference = d;
    largest = std::max(largest, std::abs(b[i]));
  }
  return difference / largest;
}

}  // namespace plumb::test
