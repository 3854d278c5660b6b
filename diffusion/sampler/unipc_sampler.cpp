#include <algorithm>
#include <array>
#include <cmath>

#include "diffusion/sampler/multistep_schedule.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr size_t kMostOrder = 3;

/// The linear system of the paper's Eq. 9 and what a step needs beside it.
struct Solution {
  float h_phi_1, b_h;
  std::array<float, kMostOrder> rho{};  ///< one weight a difference
};

/// a x = b of n unknowns; a is overwritten.
std::array<float, kMostOrder> solve(std::array<std::array<double, kMostOrder>, kMostOrder> a,
                                    std::array<double, kMostOrder> b, size_t n) {
  for (size_t column = 0; column < n; ++column) {
    size_t pivot = column;
    for (size_t row = column; row < n; ++row)
      if (std::abs(a[row][column]) > std::abs(a[pivot][column])) pivot = row;
    std::swap(a[column], a[pivot]), std::swap(b[column], b[pivot]);
    for (size_t row = column + 1; row < n; ++row) {
      const double factor = a[row][column] / a[column][column];
      for (size_t k = column; k < n; ++k) a[row][k] -= factor * a[column][k];
      b[row] -= factor * b[column];
    }
  }
  std::array<float, kMostOrder> x{};
  for (size_t row = n; row-- > 0;) {
    double rest = b[row];
    for (size_t k = row + 1; k < n; ++k) rest -= a[row][k] * double(x[k]);
    x[row] = float(rest / a[row][row]);
  }
  return x;
}

/// A predictor, and a corrector that uses the next prediction for the step before it.      [Zhao et al. 2023, Alg. 1-2]
class UniPcSampler final : public MultistepSampler {
 public:
  UniPcSampler(const SchedulerConfig& config, MultistepSchedule schedule)
      : MultistepSampler(config, std::move(schedule.timesteps), std::move(schedule.sigmas)) {}

 private:
  Tensor advance(const Tensor& prediction, const Tensor& x, const Tensor&) override {
    const SchedulerConfig& c = config();
    const Tensor model = c.predict_x0 ? x0_of(x, prediction) : noise_of(x, prediction);
    const auto& off = c.disable_corrector;
    const bool correct = last_x_.defined() && std::find(off.begin(), off.end(), int64_t(index()) - 1) == off.end();
    const Tensor here = correct ? update(last_x_, index() - 1, order_, model) : x;
    if (int64_t(history_.size()) == c.solver_order) history_.erase(history_.begin());
    history_.push_back(model);
    const int64_t left = int64_t(timesteps().size() - index());
    const int64_t most = c.lower_order_final ? std::min(c.solver_order, left) : c.solver_order;
    order_ = size_t(std::min(most, int64_t(history_.size())));
    last_x_ = here;
    return update(here, index(), order_, {});
  }

  /// The step from level `from` to the next; with the prediction there the corrector, without the predictor.
  Tensor update(const Tensor& x, size_t from, size_t order, const Tensor& ahead) const {
    const SolverLevel s = level(from), t = level(from + 1);
    const bool clean = config().predict_x0;
    const Tensor& m0 = history_.back();
    std::array<float, kMostOrder> r{};
    std::vector<Tensor> differences;
    for (size_t i = 1; i < order; ++i) {
      r[i - 1] = (level(from - i).lambda - s.lambda) / (t.lambda - s.lambda);
      differences.push_back((history_[history_.size() - 1 - i] - m0) / r[i - 1]);
    }
    r[order - 1] = 1;
    const Solution w = weights(t.lambda - s.lambda, r, order, ahead.defined());
    const float scale = clean ? t.alpha : t.sigma;
    Tensor next = x * (clean ? t.sigma / s.sigma : t.alpha / s.alpha) - m0 * (scale * w.h_phi_1);
    Tensor rest = ahead.defined() ? (ahead - m0) * w.rho[order - 1] : Tensor();
    for (size_t i = 0; i < differences.size(); ++i) {
      const Tensor part = differences[i] * w.rho[i];
      rest = rest.defined() ? rest + part : part;
    }
    return rest.defined() ? next - rest * (scale * w.b_h) : next;
  }

  Solution weights(float h, const std::array<float, kMostOrder>& r, size_t order, bool corrector) const {
    const float hh = config().predict_x0 ? -h : h;
    Solution solution{std::expm1(hh), config().solver_type == SolverType::bh1 ? hh : std::expm1(hh)};
    std::array<std::array<double, kMostOrder>, kMostOrder> a{};
    std::array<double, kMostOrder> b{};
    float h_phi_k = solution.h_phi_1 / hh - 1, factorial = 1;
    for (size_t i = 0; i < order; ++i) {
      for (size_t k = 0; k < order; ++k) a[i][k] = double(float(std::pow(r[k], float(i))));
      b[i] = double(h_phi_k * factorial / solution.b_h);
      factorial *= float(i + 2);
      h_phi_k = h_phi_k / hh - 1 / factorial;
    }
    // The lowest order of each is one half by definition.
    const size_t unknowns = corrector ? order : order - 1;
    if (unknowns == 1)
      solution.rho[0] = 0.5f;
    else
      solution.rho = solve(a, b, unknowns);
    return solution;
  }

  std::vector<Tensor> history_;  ///< converted predictions, oldest first
  Tensor last_x_;                ///< where the last step began
  size_t order_ = 1;             ///< of the last step
};

}  // namespace

std::unique_ptr<Sampler> make_unipc_sampler(const SchedulerConfig& config, int64_t steps) {
  require<ValueError>(config.predict_x0 || config.prediction_type != Prediction::flow,
                      "{}: predict_x0 false cannot have prediction_type flow_prediction", config.class_name);
  return std::make_unique<UniPcSampler>(config, unipc_schedule(config, steps));
}

}  // namespace plumb
