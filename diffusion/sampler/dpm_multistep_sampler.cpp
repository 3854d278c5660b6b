#include <algorithm>
#include <cmath>

#include "diffusion/sampler/multistep_schedule.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// What a step adds up: x, the newest prediction, its first and second differences, noise.
struct Weights {
  float x, d0, d1, d2, noise;
};

/// DPM-Solver on predicted noise, DPM-Solver++ on predicted clean samples, and the latter's stochastic form, of orders
/// 1 to 3.                                                       [Lu et al. 2022a; Lu et al. 2022b, Algs. 1 and 2]
class DpmMultistepSampler final : public MultistepSampler {
 public:
  DpmMultistepSampler(const SchedulerConfig& config, MultistepSchedule schedule)
      : MultistepSampler(config, std::move(schedule.timesteps), std::move(schedule.sigmas)) {}

  bool is_stochastic() const override { return config().algorithm_type == AlgorithmType::sde_dpmsolverpp; }

 private:
  Tensor advance(const Tensor& prediction, const Tensor& x, const Tensor& noise) override {
    const bool of_noise = config().algorithm_type == AlgorithmType::dpmsolver;
    const int64_t order = order_here();
    if (int64_t(history_.size()) == config().solver_order) history_.erase(history_.begin());
    history_.push_back(of_noise ? noise_of(x, prediction) : x0_of(x, prediction));
    const size_t newest = history_.size() - 1;
    const float h = level(index() + 1).lambda - level(index()).lambda;
    const Weights w = weights(h, order);
    const Tensor& d0 = history_[newest];
    Tensor next = x * w.x + d0 * w.d0;
    if (order > 1) {
      const float r0 = (level(index()).lambda - level(index() - 1).lambda) / h;
      Tensor d1 = (d0 - history_[newest - 1]) * (1 / r0);
      if (order > 2) {
        const float r1 = (level(index() - 1).lambda - level(index() - 2).lambda) / h;
        const Tensor older = (history_[newest - 1] - history_[newest - 2]) * (1 / r1);
        next = next + (d1 - older) * (1 / (r0 + r1)) * w.d2;
        d1 = d1 + (d1 - older) * (r0 / (r0 + r1));
      }
      next = next + d1 * w.d1;
    }
    return is_stochastic() ? next + noise * w.noise : next;
  }

  /// Lower in the first steps, for lack of predictions, and in the last ones of few, for stability.
  int64_t order_here() const {
    const SchedulerConfig& c = config();
    const size_t left = timesteps().size() - index();
    const bool few = c.lower_order_final && timesteps().size() < 15;
    const int64_t known = int64_t(history_.size()) + 1;
    if (left == 1 && (c.euler_at_final || few || c.final_sigmas_type == FinalSigmas::zero)) return 1;
    return std::min({c.solver_order, known, left == 2 && few ? int64_t(2) : int64_t(3)});
  }

  Weights weights(float h, int64_t order) const {
    const SolverLevel to = level(index() + 1), from = level(index());
    // The third order is Heun's kind whatever the solver type.
    const bool midpoint = config().solver_type == SolverType::midpoint && order < 3;
    if (config().algorithm_type == AlgorithmType::dpmsolver) {
      const float e = std::exp(h) - 1;
      return {to.alpha / from.alpha, -(to.sigma * e), midpoint ? -0.5f * (to.sigma * e) : -(to.sigma * (e / h - 1)),
              -(to.sigma * ((std::exp(h) - 1 - h) / (h * h) - 0.5f)), 0};
    }
    if (config().algorithm_type == AlgorithmType::dpmsolverpp) {
      const float e = std::exp(-h) - 1;
      return {to.sigma / from.sigma, -(to.alpha * e), midpoint ? -0.5f * (to.alpha * e) : to.alpha * (e / h + 1),
              -(to.alpha * ((std::exp(-h) - 1 + h) / (h * h) - 0.5f)), 0};
    }
    const float e = 1 - std::exp(-2 * h);
    return {to.sigma / from.sigma * std::exp(-h), to.alpha * e,
            midpoint ? 0.5f * (to.alpha * e) : to.alpha * (e / (-2 * h) + 1),
            to.alpha * ((1 - std::exp(-2 * h) - 2 * h) / ((2 * h) * (2 * h)) - 0.5f), to.sigma * std::sqrt(e)};
  }

  std::vector<Tensor> history_;  ///< converted predictions, oldest first
};

}  // namespace

std::unique_ptr<Sampler> make_dpm_multistep_sampler(const SchedulerConfig& config, int64_t steps) {
  require<ValueError>(config.algorithm_type != AlgorithmType::sde_dpmsolver,
                      "{}: algorithm_type sde-dpmsolver is not supported; sde-dpmsolver++ is", config.class_name);
  const bool of_noise = config.algorithm_type == AlgorithmType::dpmsolver;
  require<ValueError>(!of_noise || config.final_sigmas_type == FinalSigmas::sigma_min,
                      "{}: algorithm_type dpmsolver needs final_sigmas_type sigma_min", config.class_name);
  require<ValueError>(!of_noise || config.prediction_type != Prediction::flow,
                      "{}: algorithm_type dpmsolver cannot have prediction_type flow_prediction", config.class_name);
  return std::make_unique<DpmMultistepSampler>(config, dpm_schedule(config, steps));
}

}  // namespace plumb
