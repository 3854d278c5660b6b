#pragma once

#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diffusion/parameterization.h"
#include "diffusion/sampler/timesteps.h"
#include "diffusion/schedule/noise_schedule.h"
#include "engine/io/json.h"

namespace plumb {

/// diffusers' scheduler classes that can be sampled with. `other` is any class else (LMSDiscreteScheduler, …): its
/// noise schedule is read, so that its model can be trained and sampled with another class.
enum class SchedulerClass {
  ddpm,
  ddim,
  pndm,
  euler,
  euler_ancestral,
  heun,
  dpm_multistep,
  unipc,
  flow_euler,
  other,
};

/// What model variance a DDPM step has; names as in diffusers.
enum class VarianceType { fixed_small, fixed_small_log, fixed_large, fixed_large_log, learned, learned_range };
enum class AlgorithmType { dpmsolver, dpmsolverpp, sde_dpmsolver, sde_dpmsolverpp };
enum class SolverType { midpoint, heun, bh1, bh2 };
/// Where sigmas end: at 0, or at that of the first training timestep.
enum class FinalSigmas { zero, sigma_min };
/// How sigmas of fractional timesteps are found.
enum class SigmaInterpolation { linear, log_linear };

/// A scheduler_config.json of diffusers. Members have the names of its keys; what a file leaves out has the default of
/// the file's class. A class reads only the keys it knows; the others are kept for a class that is chosen later.
struct SchedulerConfig {
  SchedulerClass type = SchedulerClass::ddim;
  std::string class_name = "DDIMScheduler";
  NoiseScheduleOptions noise = {};  ///< num_train_timesteps, the betas, rescale_betas_zero_snr
  Prediction prediction_type = Prediction::epsilon;

  TimestepSpacing timestep_spacing = TimestepSpacing::leading;
  int64_t steps_offset = 0;
  bool set_alpha_to_one = true;
  bool skip_prk_steps = false;

  bool clip_sample = true;
  double clip_sample_range = 1;
  bool thresholding = false;
  double dynamic_thresholding_ratio = 0.995;
  double sample_max_value = 1;
  VarianceType variance_type = VarianceType::fixed_small;

  SigmaInterpolation interpolation_type = SigmaInterpolation::linear;
  bool use_karras_sigmas = false;
  bool use_exponential_sigmas = false;
  bool use_beta_sigmas = false;
  bool use_lu_lambdas = false;
  std::optional<double> sigma_min = {};
  std::optional<double> sigma_max = {};
  FinalSigmas final_sigmas_type = FinalSigmas::zero;
  std::string timestep_type = "discrete";

  int64_t solver_order = 2;
  SolverType solver_type = SolverType::midpoint;
  AlgorithmType algorithm_type = AlgorithmType::dpmsolverpp;
  bool lower_order_final = true;
  bool euler_at_final = false;
  double lambda_min_clipped = -std::numeric_limits<double>::infinity();
  bool predict_x0 = true;
  std::vector<int64_t> disable_corrector = {};

  bool use_flow_sigmas = false;
  double flow_shift = 1;
  double shift = 1;
  std::optional<double> shift_terminal = {};
  bool use_dynamic_shifting = false;
  std::string time_shift_type = "exponential";
  double base_shift = 0.5;
  double max_shift = 1.15;
  int64_t base_image_seq_len = 256;
  int64_t max_image_seq_len = 4096;
  bool invert_sigmas = false;
  bool stochastic_sampling = false;

  Json file = Json::object();  ///< as it was read: keys of other classes are written back from here
};

/// Reads a configuration. `source` names it in messages. Throws ValueError naming the key: a value of the wrong type or
/// one that diffusers does not know, or a key that no scheduler has (unless it is null or false, or begins with "_").
SchedulerConfig scheduler_config(const Json& json, std::string_view source = "scheduler_config.json");

/// The same from a file. Python writes -Infinity where JSON has nothing; it is read as the default.
/// Throws IoError, ValueError.
SchedulerConfig load_scheduler_config(const std::filesystem::path& path);

/// What scheduler_config() reads as the same configuration: every key of the class, and the other classes' keys of the
/// file it came from.
Json to_json(const SchedulerConfig& config);

/// The configuration of another class: keys the file held are kept, what it left out has the new class's default.
/// Changes made to members since reading are kept where both classes have the key.       [diffusers' from_config]
SchedulerConfig with_class(const SchedulerConfig& config, SchedulerClass type);

/// "ddpm", "ddim", "pndm", "euler", "euler_ancestral", "heun", "dpm_multistep", "unipc", "flow_euler".
std::string_view name_of(SchedulerClass type);

/// What the network was trained to predict: that of the file, `flow` for classes of flow matching alone.
Prediction prediction_of(const SchedulerConfig& config);

/// Whether samples are (1 - s) x0 + s noise.
bool is_flow(const SchedulerConfig& config);

/// The noise schedule training uses, of any class: flow matching with `shift` or `flow_shift`, otherwise the betas.
/// Throws ValueError for dynamic shifting, which depends on the size of the picture.
NoiseSchedule training_schedule(const SchedulerConfig& config);

}  // namespace plumb
