#include <algorithm>
#include <cmath>

#include "diffusion/sampler/sampler_parts.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr int64_t kOrder = 4;

/// Four pseudo Runge-Kutta steps of four calls each (left out where skip_prk_steps), then a linear multistep method on
/// the last four predictions. Without the former the first multistep is a step there, a look, and a step again.
///                                                                          [Liu et al. 2022, Eqs. 9, 12 and 13]
class PndmSampler final : public Sampler {
 public:
  PndmSampler(const SchedulerConfig& config, std::vector<double> timesteps, int64_t steps, size_t runge_kutta)
      : Sampler(std::move(timesteps)),
        config_(config),
        schedule_(config.noise),
        runge_kutta_(runge_kutta),
        apart_(config.noise.num_train_timesteps / steps) {}

  Tensor add_noise(const Tensor& x0, const Tensor& noise) const override {
    return ChainLevel{abar(int64_t(timesteps()[index()]))}.add_noise(x0, noise);
  }

 private:
  float abar(int64_t t) const {
    return t < 0 && config_.set_alpha_to_one ? 1 : float(schedule_.alpha_cumprod(std::max<int64_t>(t, 0)));
  }

  Tensor advance(const Tensor& prediction, const Tensor& x, const Tensor&) override {
    const Tensor next = taken_ < runge_kutta_ ? runge_kutta(prediction, x) : multistep(prediction, x);
    ++taken_;
    return next;
  }

  Tensor runge_kutta(const Tensor& prediction, const Tensor& x) {
    const int64_t previous = int64_t(timesteps()[index()]) - (taken_ % 2 ? 0 : apart_ / 2);
    const int64_t t = int64_t(timesteps()[taken_ / 4 * 4]);
    Tensor slope = prediction;
    if (taken_ % 4 == 0) {
      slope_ = prediction * (1.0 / 6);
      history_.push_back(prediction);
      start_ = x;
    } else if (taken_ % 4 < 3) {
      slope_ = slope_ + prediction * (1.0 / 3);
    } else {
      slope = slope_ + prediction * (1.0 / 6);
    }
    return transfer(start_, t, previous, slope);
  }

  Tensor multistep(const Tensor& prediction, const Tensor& x) {
    int64_t t = int64_t(timesteps()[index()]), previous = t - apart_;
    if (taken_ == 1) {  // the second call of the first step: the same step with a better slope
      const Tensor from = start_;
      start_ = {};
      return transfer(from, t + apart_, t, (prediction + history_.back()) / 2);
    }
    if (history_.size() == kOrder) history_.erase(history_.begin());
    history_.push_back(prediction);
    if (taken_ == 0) start_ = x;
    const std::vector<Tensor>& e = history_;
    const size_t n = e.size();
    if (n == 1) return transfer(x, t, previous, prediction);
    if (n == 2) return transfer(x, t, previous, (e[1] * 3 - e[0]) / 2);
    if (n == 3) return transfer(x, t, previous, (e[2] * 23 - e[1] * 16 + e[0] * 5) / 12);
    return transfer(x, t, previous, (e[3] * 55 - e[2] * 59 + e[1] * 37 - e[0] * 9) * (1.0 / 24));
  }

  Tensor transfer(const Tensor& x, int64_t t, int64_t previous, const Tensor& prediction) const {
    const float a = abar(t), b = abar(previous);
    const Tensor eps = ChainLevel{a}.noise(config_.prediction_type, x, prediction);
    const float denominator = a * std::sqrt(1 - b) + std::sqrt(a * (1 - a) * b);
    return x * std::sqrt(b / a) - eps * (b - a) / denominator;
  }

  SchedulerConfig config_;
  NoiseSchedule schedule_;
  size_t runge_kutta_;  ///< calls of the first method
  int64_t apart_;
  size_t taken_ = 0;
  std::vector<Tensor> history_;  ///< the last predictions, oldest first
  Tensor slope_, start_;
};

/// Every timestep but the last visited is there once; the second is visited twice.
std::vector<double> multistep_times(const std::vector<double>& visited) {
  std::vector<double> times = visited;
  if (visited.size() > 1) times.insert(times.begin() + 1, visited[1]);
  return times;
}

std::vector<double> runge_kutta_times(const std::vector<double>& visited, int64_t half) {
  std::vector<double> pairs;  // the four noisiest, ascending: t, t + half
  for (int64_t i = kOrder - 1; i >= 0; --i)
    pairs.push_back(visited[size_t(i)]), pairs.push_back(visited[size_t(i)] + double(half));
  pairs.pop_back();
  std::vector<double> times;
  for (const double t : pairs) times.push_back(t), times.push_back(t);
  return {times.rbegin() + 1, times.rend() - 1};
}

}  // namespace

std::unique_ptr<Sampler> make_pndm_sampler(const SchedulerConfig& config, int64_t steps) {
  require<ValueError>(
      config.prediction_type == Prediction::epsilon || config.prediction_type == Prediction::v_prediction,
      "{}: prediction_type must be epsilon or v_prediction ({})", config.class_name, name_of(config.prediction_type));
  std::vector<double> visited = spaced_timesteps(config, steps);
  for (double& t : visited) t = std::nearbyint(t);
  if (config.skip_prk_steps) return std::make_unique<PndmSampler>(config, multistep_times(visited), steps, 0);
  require<ValueError>(steps >= kOrder, "{}: needs at least {} steps unless skip_prk_steps is true ({})",
                      config.class_name, kOrder, steps);
  std::vector<double> times = runge_kutta_times(visited, config.noise.num_train_timesteps / steps / 2);
  const size_t runge_kutta = times.size();
  times.insert(times.end(), visited.begin() + 3, visited.end());
  return std::make_unique<PndmSampler>(config, std::move(times), steps, runge_kutta);
}

}  // namespace plumb
