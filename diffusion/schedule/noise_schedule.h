#pragma once

#include <cstdint>
#include <vector>

#include "engine/tensor.h"
#include "nn/device_tables.h"

namespace plumb {

/// How beta runs from beta_start (t = 0) to beta_end (t = T - 1). Names as in diffusers.
enum class BetaSchedule {
  linear,             ///< evenly spaced                                                 [Ho et al. 2020]
  scaled_linear,      ///< evenly spaced in sqrt(beta), squared                          [Rombach et al. 2022]
  squaredcos_cap_v2,  ///< abar(u) = cos^2((u + .008) / 1.008 * pi/2), beta <= .999      [Nichol & Dhariwal 2021]
  sigmoid,            ///< a logistic curve from -6 to 6 between the two
};

struct NoiseScheduleOptions {
  int64_t num_train_timesteps = 1000;
  BetaSchedule beta_schedule = BetaSchedule::linear;
  double beta_start = 1e-4;
  double beta_end = 0.02;
  std::vector<double> trained_betas = {};  ///< the betas themselves, one a timestep; the three above are not read then
  bool rescale_betas_zero_snr = false;     ///< sqrt(abar) shifted and scaled to end at 0      [Lin et al. 2024, Alg. 1]
};

/// What the forward process does at one timestep per sample: x_t = alpha * x0 + sigma * noise.
/// Both are [N, 1, …] so that they broadcast against a batch.
struct NoiseLevel {
  Tensor alpha;  ///< sqrt(abar_t)
  Tensor sigma;  ///< sqrt(1 - abar_t)
};

/// A noise schedule. t is 0-based, 0 <= t < T, as in diffusers: the papers' t + 1 is our t.
///   variance-preserving   alpha_t = 1 - beta_t,   abar_t = prod_{s <= t} alpha_s
///   flow matching         x_s = (1 - s) x0 + s noise at  s_t = shift u / (1 + (shift - 1) u),  u = (t + 1) / T
///                                                                                       [Esser et al. 2024, Eq. 23]
/// Values are those of diffusers' float32 tables.
class NoiseSchedule {
 public:
  /// Throws ValueError for T < 1, betas outside 0 < beta_start <= beta_end < 1, or trained_betas that are not T numbers
  /// in [0, 1).
  explicit NoiseSchedule(const NoiseScheduleOptions& options);
  /// Flow matching (diffusers' FlowMatchEulerDiscreteScheduler in training). Throws ValueError for T < 1 or a shift
  /// that is not positive.
  static NoiseSchedule flow(int64_t num_train_timesteps, double shift = 1);

  bool is_flow() const { return !flow_times_.empty(); }
  /// Of a variance-preserving schedule; of flow only num_train_timesteps.
  const NoiseScheduleOptions& options() const { return options_; }
  int64_t num_train_timesteps() const { return options_.num_train_timesteps; }
  /// beta_t. Throws IndexError outside [0, T); ValueError for flow.
  double beta(int64_t t) const;
  /// abar_t; 1 for t = -1, the clean end; for flow the abar of equal SNR, (1 - s)^2 / ((1 - s)^2 + s^2). Throws
  /// IndexError outside [-1, T).
  double alpha_cumprod(int64_t t) const;
  /// All abar_t, f32 [T].
  const Tensor& alphas_cumprod() const { return alphas_cumprod_; }
  Tensor alphas_cumprod(Device device) const;

  /// What a network is told of the time: t as f32; for flow 1000 s at T = 1000, T s in general. t: i64 [N] · f32 [N].
  /// Throws IndexError for flow outside [0, T). On CUDA nothing waits for t: see level().
  Tensor network_time(const Tensor& t) const;
  /// Level of each sample. t: i64 [N], each in [0, T) · rank: of the batch it will be used with · returns dtype (f32
  /// or f64), [N, 1, …], on t's device. Throws IndexError, ShapeError. On CUDA levels are gathered from a table of
  /// those of the CPU, without reading t on the host: what is outside [0, T) is index_select's to refuse.
  NoiseLevel level(const Tensor& t, int64_t rank, DType dtype = DType::f32) const;

 private:
  NoiseSchedule(int64_t num_train_timesteps, double shift);
  NoiseLevel level_on_device(const Tensor& t, const Shape& shape, DType dtype) const;
  /// 0, 1, …, T - 1.
  Tensor every_timestep() const { return arange(0, double(num_train_timesteps())); }

  NoiseScheduleOptions options_;
  std::vector<float> betas_;
  std::vector<float> flow_times_;  // s_t; empty unless flow
  Tensor alphas_cumprod_;
  DeviceTables tables_;
};

}  // namespace plumb
