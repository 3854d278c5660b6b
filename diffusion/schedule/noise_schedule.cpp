#include "diffusion/schedule/noise_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/format.h"
#include "engine/ops/index/index_select.h"
#include "engine/ops/layout/view.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// torch.linspace in float32: filled from both ends, so that the last value is exactly `end`.
std::vector<float> linspace(float start, float end, int64_t count) {
  std::vector<float> values(static_cast<size_t>(count), start);
  if (count < 2) return values;
  const float step = (end - start) / float(count - 1);
  for (int64_t i = 0; i < count; ++i)
    values[size_t(i)] = i < count / 2 ? start + step * float(i) : end - step * float(count - 1 - i);
  return values;
}

/// What is kept on a device.
enum class Table { alphas_cumprod, network_time, alpha, sigma };

std::vector<float> make_betas(const NoiseScheduleOptions& options) {
  const int64_t count = options.num_train_timesteps;
  if (!options.trained_betas.empty()) return {options.trained_betas.begin(), options.trained_betas.end()};
  if (options.beta_schedule == BetaSchedule::linear)
    return linspace(float(options.beta_start), float(options.beta_end), count);
  if (options.beta_schedule == BetaSchedule::scaled_linear) {
    std::vector<float> betas =
        linspace(float(std::sqrt(options.beta_start)), float(std::sqrt(options.beta_end)), count);
    for (float& beta : betas) beta *= beta;
    return betas;
  }
  std::vector<float> betas;
  if (options.beta_schedule == BetaSchedule::sigmoid) {
    for (const float at : linspace(-6, 6, count))
      betas.push_back(1 / (1 + std::exp(-at)) * float(options.beta_end - options.beta_start) +
                      float(options.beta_start));
    return betas;
  }
  auto abar = [](double u) {
    const double cosine = std::cos((u + 0.008) / 1.008 * std::numbers::pi / 2);
    return cosine * cosine;
  };
  for (int64_t t = 0; t < count; ++t)
    betas.push_back(float(std::min(1 - abar(double(t + 1) / double(count)) / abar(double(t) / double(count)), 0.999)));
  return betas;
}

/// abar of every timestep. torch's cumprod keeps the running product of float32 values in double.
std::vector<float> cumulative(const std::vector<float>& betas) {
  std::vector<float> abar;
  double product = 1;
  for (const float beta : betas) abar.push_back(float(product *= double(1.0f - beta)));
  return abar;
}

/// The betas whose sqrt(abar) is that of `betas`, shifted to end at 0 and scaled to begin where it did.
std::vector<float> with_zero_terminal_snr(std::vector<float> betas) {
  std::vector<float> abar = cumulative(betas);
  const float first = std::sqrt(abar.front()), last = std::sqrt(abar.back());
  for (float& value : abar) {
    value = (std::sqrt(value) - last) * (first / (first - last));
    value *= value;
  }
  for (size_t t = 0; t < betas.size(); ++t) betas[t] = 1 - (t == 0 ? abar[0] : abar[t] / abar[t - 1]);
  return betas;
}

void check_trained(const NoiseScheduleOptions& options) {
  const std::vector<double>& betas = options.trained_betas;
  require<ValueError>(int64_t(betas.size()) == options.num_train_timesteps,
                      "noise schedule: trained_betas must have num_train_timesteps numbers, {} ({})",
                      options.num_train_timesteps, betas.size());
  for (const double beta : betas)
    require<ValueError>(beta >= 0 && beta < 1, "noise schedule: trained_betas must be in [0, 1) ({})", beta);
}

}  // namespace

NoiseSchedule::NoiseSchedule(const NoiseScheduleOptions& options) : options_(options) {
  require<ValueError>(options.num_train_timesteps >= 1, "noise schedule: num_train_timesteps must be at least 1 ({})",
                      options.num_train_timesteps);
  if (!options.trained_betas.empty()) check_trained(options);
  const bool ordered = options.beta_start > 0 && options.beta_start <= options.beta_end && options.beta_end < 1;
  require<ValueError>(ordered || !options.trained_betas.empty(),
                      "noise schedule: betas must satisfy 0 < beta_start <= beta_end < 1 (beta_start {}, beta_end {})",
                      options.beta_start, options.beta_end);
  require<ValueError>(!options.rescale_betas_zero_snr || options.num_train_timesteps > 1,
                      "noise schedule: rescale_betas_zero_snr needs at least 2 timesteps ({})",
                      options.num_train_timesteps);
  betas_ = make_betas(options);
  if (options.rescale_betas_zero_snr) betas_ = with_zero_terminal_snr(std::move(betas_));
  alphas_cumprod_ = empty({options.num_train_timesteps});
  const std::vector<float> abar = cumulative(betas_);
  std::copy(abar.begin(), abar.end(), alphas_cumprod_.mutable_data<float>());
}

NoiseSchedule::NoiseSchedule(int64_t num_train_timesteps, double shift) {
  require<ValueError>(num_train_timesteps >= 1, "flow schedule: num_train_timesteps must be at least 1 ({})",
                      num_train_timesteps);
  require<ValueError>(shift > 0 && std::isfinite(shift), "flow schedule: shift must be positive ({})", shift);
  options_.num_train_timesteps = num_train_timesteps;
  alphas_cumprod_ = empty({num_train_timesteps});
  for (int64_t t = 0; t < num_train_timesteps; ++t) {
    const double u = double(t + 1) / double(num_train_timesteps), s = shift * u / (1 + (shift - 1) * u);
    flow_times_.push_back(float(s));
    alphas_cumprod_.mutable_data<float>()[t] = float((1 - s) * (1 - s) / ((1 - s) * (1 - s) + s * s));
  }
}

NoiseSchedule NoiseSchedule::flow(int64_t num_train_timesteps, double shift) {
  return NoiseSchedule(num_train_timesteps, shift);
}

double NoiseSchedule::beta(int64_t t) const {
  require<ValueError>(!is_flow(), "noise schedule: flow has no beta");
  require<IndexError>(t >= 0 && t < num_train_timesteps(), "noise schedule: t must be in [0, {}) ({})",
                      num_train_timesteps(), t);
  return double(betas_[size_t(t)]);
}

double NoiseSchedule::alpha_cumprod(int64_t t) const {
  require<IndexError>(t >= -1 && t < num_train_timesteps(), "noise schedule: t must be in [-1, {}) ({})",
                      num_train_timesteps(), t);
  return t < 0 ? 1.0 : double(alphas_cumprod_.data<float>()[t]);
}

Tensor NoiseSchedule::alphas_cumprod(Device device) const {
  return tables_.on(device, {double(Table::alphas_cumprod)}, [this] { return alphas_cumprod_; });
}

Tensor NoiseSchedule::network_time(const Tensor& t) const {
  if (!is_flow()) return t.to(DType::f32);
  if (t.device().is_cuda())
    return index_select(
        tables_.on(t.device(), {double(Table::network_time)}, [this] { return network_time(every_timestep()); }), 0, t);
  const std::vector<int64_t> index = t.to_vector<int64_t>();
  Tensor time = empty({t.numel()});
  for (size_t i = 0; i < index.size(); ++i) {
    require<IndexError>(index[i] >= 0 && index[i] < num_train_timesteps(), "noise schedule: t must be in [0, {}) ({})",
                        num_train_timesteps(), index[i]);
    time.mutable_data<float>()[i] = flow_times_[size_t(index[i])] * float(num_train_timesteps());
  }
  return time;
}

NoiseLevel NoiseSchedule::level(const Tensor& t, int64_t rank, DType dtype) const {
  require<ShapeError>(t.rank() == 1 && rank >= 1, "noise schedule: timesteps must be [N] for a batch of rank >= 1; {}",
                      t);
  require<DTypeError>(t.dtype() == DType::i64, "noise schedule: timesteps must be i64; {}", t);
  Shape shape = Dims::filled(rank, 1);
  shape[0] = t.size(0);
  if (t.device().is_cuda()) return level_on_device(t, shape, dtype);
  NoiseLevel level{empty(shape, dtype), empty(shape, dtype)};
  const Tensor dense = t.contiguous();
  const int64_t* index = dense.data<int64_t>();
  visit_dtype(TypeList<float, double>{}, dtype, "noise schedule", [&]<class T>() {
    for (int64_t i = 0; i < t.numel(); ++i) {
      const T abar = T(alpha_cumprod(index[i]));
      if (is_flow()) {
        require<IndexError>(index[i] >= 0, "noise schedule: t must be in [0, {}) ({})", num_train_timesteps(),
                            index[i]);
        const T s = T(flow_times_[size_t(index[i])]);
        level.alpha.mutable_data<T>()[i] = T(1) - s;
        level.sigma.mutable_data<T>()[i] = s;
        continue;
      }
      level.alpha.mutable_data<T>()[i] = std::sqrt(abar);
      level.sigma.mutable_data<T>()[i] = std::sqrt(T(1) - abar);
    }
  });
  return level;
}

NoiseLevel NoiseSchedule::level_on_device(const Tensor& t, const Shape& shape, DType dtype) const {
  const auto gathered = [&](Table table, Tensor NoiseLevel::*member) {
    const Tensor all = tables_.on(t.device(), {double(table), double(int(dtype))},
                                  [&] { return level(every_timestep(), 1, dtype).*member; });
    return reshape(index_select(all, 0, t), shape);
  };
  return {gathered(Table::alpha, &NoiseLevel::alpha), gathered(Table::sigma, &NoiseLevel::sigma)};
}

}  // namespace plumb
