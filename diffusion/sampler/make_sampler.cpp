#include "diffusion/sampler/make_sampler.h"

#include <algorithm>
#include <array>

#include "diffusion/sampler/sampler_parts.h"
#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr std::array<SchedulerClass, 9> kSamplers = {
    SchedulerClass::ddim,
    SchedulerClass::ddpm,
    SchedulerClass::pndm,
    SchedulerClass::euler,
    SchedulerClass::euler_ancestral,
    SchedulerClass::heun,
    SchedulerClass::dpm_multistep,
    SchedulerClass::unipc,
    SchedulerClass::flow_euler,
};

/// Settings people know by a name of their own.
constexpr std::array<std::string_view, 3> kPresets = {"dpmpp_2m", "dpmpp_2m_karras", "dpmpp_sde"};

}  // namespace

Tensor Sampler::step(const Tensor& prediction, const Tensor& x, const Tensor& noise) {
  require<ValueError>(position_ < int64_t(timesteps_.size()), "sampler: all {} steps were taken", timesteps_.size());
  require<ShapeError>(prediction.shape() == x.shape(), "sampler: the prediction must have the shape of x; {}, {}", x,
                      prediction);
  if (is_stochastic()) {
    require<ShapeError>(noise.defined(), "sampler: noise is missing; x is {}", x);
    require<ShapeError>(noise.shape() == x.shape(), "sampler: noise must have the shape of x; {}, {}", x, noise);
  }
  Tensor next = advance(prediction.to(x.dtype()), x, noise);
  ++position_;
  started_ = true;
  return next;
}

void Sampler::start_at(int64_t position) {
  require<ValueError>(!started_, "sampler: steps were taken already");
  require<ValueError>(position >= 0 && position < int64_t(timesteps_.size()),
                      "sampler: the first step must be in [0, {}) ({})", timesteps_.size(), position);
  position_ = position;
}

std::unique_ptr<Sampler> make_sampler(const SchedulerConfig& given, int64_t steps, const SamplerChoices& choices) {
  SchedulerConfig config = given;
  // A key of the file that these classes do not have.
  if (config.type == SchedulerClass::pndm || config.type == SchedulerClass::heun)
    config.noise.rescale_betas_zero_snr = false;
  const int64_t total = config.noise.num_train_timesteps;
  require<ValueError>(steps >= 1 && steps <= total, "sampler: steps must be in [1, {}], the training timesteps ({})",
                      total, steps);
  const bool thresholds = config.type == SchedulerClass::ddpm || config.type == SchedulerClass::ddim ||
                          config.type == SchedulerClass::dpm_multistep || config.type == SchedulerClass::unipc;
  require<ValueError>(!config.thresholding || !thresholds, "{}: thresholding is not supported", config.class_name);
  require<ValueError>(choices.eta >= 0, "sampler: eta must not be negative ({})", choices.eta);
  const bool multistep = config.type == SchedulerClass::dpm_multistep || config.type == SchedulerClass::unipc;
  require<ValueError>(is_flow(config) || multistep || prediction_of(config) != Prediction::flow,
                      "{}: prediction_type flow_prediction needs flow_euler, dpm_multistep or unipc",
                      config.class_name);
  switch (config.type) {
    case SchedulerClass::ddpm:
      return make_ddpm_sampler(config, steps);
    case SchedulerClass::ddim:
      return make_ddim_sampler(config, steps, choices.eta);
    case SchedulerClass::pndm:
      return make_pndm_sampler(config, steps);
    case SchedulerClass::euler:
      return make_euler_sampler(config, steps);
    case SchedulerClass::euler_ancestral:
      return make_euler_ancestral_sampler(config, steps);
    case SchedulerClass::heun:
      return make_heun_sampler(config, steps);
    case SchedulerClass::dpm_multistep:
      return make_dpm_multistep_sampler(config, steps);
    case SchedulerClass::unipc:
      return make_unipc_sampler(config, steps);
    case SchedulerClass::flow_euler:
      return make_flow_euler_sampler(config, steps);
    case SchedulerClass::other:
      break;
  }
  raise<ValueError>("{} cannot be sampled with; choose another sampler, such as euler", config.class_name);
}

std::vector<std::string_view> sampler_names() {
  std::vector<std::string_view> names;
  for (const SchedulerClass type : kSamplers) names.push_back(name_of(type));
  names.insert(names.end(), kPresets.begin(), kPresets.end());
  return names;
}

SchedulerConfig with_sampler(const SchedulerConfig& config, std::string_view name) {
  for (const SchedulerClass type : kSamplers)
    if (name == name_of(type)) return with_class(config, type);
  std::string choices;
  for (const std::string_view known : sampler_names()) choices += fmt::format(" {}", known);
  require<ValueError>(std::find(kPresets.begin(), kPresets.end(), name) != kPresets.end(),
                      "sampler: must be one of{} ({})", choices, name);
  SchedulerConfig chosen = with_class(config, SchedulerClass::dpm_multistep);
  chosen.algorithm_type = name == "dpmpp_sde" ? AlgorithmType::sde_dpmsolverpp : AlgorithmType::dpmsolverpp;
  chosen.solver_order = 2;
  chosen.use_karras_sigmas = name == "dpmpp_2m_karras";
  return chosen;
}

}  // namespace plumb
