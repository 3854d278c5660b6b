#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "diffusion/schedule/scheduler_config.h"
#include "engine/tensor.h"

namespace plumb {

/// A solver on its way from noise to data: the timesteps it visits and what it remembers between them. Use:
///
///   auto sampler = make_sampler(config, 50);
///   Tensor x = noise * sampler->init_noise_sigma();
///   for (double t : sampler->timesteps())
///     x = sampler->step(network(sampler->scale_model_input(x), t), x, fresh_noise);
///
/// Coefficients are computed in float32 with the operations diffusers uses, in its order: some are differences of
/// nearly equal numbers, whose rounding would otherwise show in the samples.
class Sampler {
 public:
  virtual ~Sampler() = default;

  /// What the network is told of the time at every call, in order; as many as there are calls of step().
  const std::vector<double>& timesteps() const { return timesteps_; }
  /// The index into timesteps() of the next step.
  int64_t position() const { return position_; }
  /// Calls of the network for one of the steps asked for: 2 for Heun.
  virtual int64_t calls_per_step() const { return 1; }
  /// What unit noise is multiplied by at the start.
  virtual double init_noise_sigma() const { return 1; }
  /// Whether step() reads its noise.
  virtual bool is_stochastic() const { return false; }

  /// What the network sees of x at this position.
  virtual Tensor scale_model_input(const Tensor& x) const { return x; }
  /// Clean samples brought to the noise level of this position; how sampling starts from a picture.
  virtual Tensor add_noise(const Tensor& x0, const Tensor& noise) const = 0;
  /// One step. prediction, x: [N, …] of the same shape; noise: like x, unit normal, read when is_stochastic().
  /// Returns like x. Throws ValueError after the last step, ShapeError.
  Tensor step(const Tensor& prediction, const Tensor& x, const Tensor& noise = {});
  /// Begins at this index of timesteps() instead of at the first. Throws ValueError when steps were taken already, or
  /// outside [0, calls).
  void start_at(int64_t position);

 protected:
  explicit Sampler(std::vector<double> timesteps) : timesteps_(std::move(timesteps)) {}
  virtual Tensor advance(const Tensor& prediction, const Tensor& x, const Tensor& noise) = 0;
  size_t index() const { return size_t(position_); }

 private:
  std::vector<double> timesteps_;
  int64_t position_ = 0;
  bool started_ = false;
};

struct SamplerChoices {
  double eta = 0;  ///< DDIM's: 0 deterministic, 1 as much noise as DDPM
};

/// The sampler of the configuration's class with `steps` steps. Throws ValueError naming the key of what is not
/// supported (thresholding, exponential and beta sigmas, dynamic shifting, learned variances), and unless
/// 1 <= steps <= num_train_timesteps.
std::unique_ptr<Sampler> make_sampler(const SchedulerConfig& config, int64_t steps, const SamplerChoices& choices = {});

/// Names of samplers, for a command line: those of SchedulerClass, and "dpmpp_2m", "dpmpp_2m_karras", "dpmpp_sde".
std::vector<std::string_view> sampler_names();
/// The configuration with another sampler: the betas and what else the file held is kept. Throws ValueError.
SchedulerConfig with_sampler(const SchedulerConfig& config, std::string_view name);

}  // namespace plumb
