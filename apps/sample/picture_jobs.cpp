#include "apps/sample/picture_jobs.h"

#include <array>
#include <filesystem>

#include "apps/common/picture_shape.h"
#include "diffusion/sampler/make_sampler.h"
#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// diffusers' pipelines' own.
constexpr double kTextGuidance = 7.5, kXlGuidance = 5;

/// The sampler's name as people write it in a picture's parameters.
std::string shown_sampler(const SchedulerConfig& config) {
  constexpr std::array<std::pair<SchedulerClass, const char*>, 9> kShown = {
      {{SchedulerClass::ddpm, "DDPM"},
       {SchedulerClass::ddim, "DDIM"},
       {SchedulerClass::pndm, "PLMS"},
       {SchedulerClass::euler, "Euler"},
       {SchedulerClass::euler_ancestral, "Euler a"},
       {SchedulerClass::heun, "Heun"},
       {SchedulerClass::dpm_multistep, "DPM++ 2M"},
       {SchedulerClass::unipc, "UniPC"},
       {SchedulerClass::flow_euler, "Euler flow"}}};
  std::string name = config.class_name;
  for (const auto& [type, shown] : kShown)
    if (type == config.type) name = shown;
  if (config.algorithm_type == AlgorithmType::sde_dpmsolverpp && config.type == SchedulerClass::dpm_multistep)
    name = "DPM++ 2M SDE";
  return config.use_karras_sigmas ? name + " Karras" : name;
}

std::vector<PicturePrompt> prompts_of(const SampleSettings& s, const Pipeline& pipeline) {
  const bool wanted = !s.prompt.empty() || !s.prompts.empty();
  if (!takes_text(pipeline)) {
    require<UsageError>(!wanted && s.negative_prompt.empty(),
                        "sample: a prompt for a model without a text encoder; leave it out ({})", s.model);
    require<UsageError>(pipeline.unet->context_features() == 0,
                        "sample: the network wants text, and the model has no text encoder ({})", s.model);
    return {};
  }
  require<UsageError>(wanted, "sample: the model draws what text says; give --prompt or --prompts ({})", s.model);
  std::vector<PicturePrompt> prompts;
  for (const std::string& text : s.prompt) prompts.push_back({.text = text});
  if (!s.prompts.empty())
    for (PicturePrompt& prompt : read_prompts(s.prompts)) prompts.push_back(std::move(prompt));
  return prompts;
}

void check_size(const SampleSettings& s, const Pipeline& pipeline, const PictureFacts& facts) {
  const int64_t multiple = reduction_of(pipeline) * pipeline.unet->multiple_of();
  constexpr int64_t kLargest = 16384;
  for (const auto& [name, size] : {std::pair{"height", facts.height}, std::pair{"width", facts.width}}) {
    require<UsageError>(size > 0, "sample: the model does not say how large its pictures are; give --{} ({})", name,
                        s.model);
    require<UsageError>(size % multiple == 0 && size <= kLargest,
                        "sample: --{} must be a multiple of {} and at most {} ({})", name, multiple, kLargest, size);
  }
}

void check_guidance(const SampleSettings& s, const Pipeline& pipeline, double scale) {
  const int64_t classes = pipeline.unet->classes();
  const bool text = takes_text(pipeline);
  require<UsageError>(scale == 1 || text || s.negative_class,
                      "sample: --guidance_scale {} needs a class to be guided away from; give --negative_class", scale);
  require<UsageError>(!s.negative_class || (scale != 1 && *s.negative_class < classes),
                      "sample: --negative_class {} needs a --guidance_scale other than 1 and a model with that class "
                      "({} classes)",
                      s.negative_class.value_or(0), classes);
}

}  // namespace

bool takes_text(const Pipeline& pipeline) { return pipeline.text_encoder || pipeline.text_encoder_2; }

SchedulerConfig chosen_scheduler(const SampleSettings& s, const Pipeline& pipeline) {
  SchedulerConfig config = s.sampler == "auto" ? pipeline.scheduler : with_sampler(pipeline.scheduler, s.sampler);
  if (s.spacing != "auto") config.timestep_spacing = timestep_spacing_from_name(s.spacing);
  return config;
}

std::vector<PictureFacts> plan_pictures(const SampleSettings& s, const Pipeline& pipeline) {
  const SchedulerConfig scheduler = chosen_scheduler(s, pipeline);
  const int64_t classes = pipeline.unet->classes(), label = chosen_class(s, classes), scale = reduction_of(pipeline);
  const Size2d trained = pipeline.unet->sample_size();
  std::vector<PicturePrompt> prompts = prompts_of(s, pipeline);
  const bool text = !prompts.empty();
  if (!text) prompts.emplace_back();
  const double usual = !text ? 1 : pipeline.text_encoder_2 ? kXlGuidance : kTextGuidance;
  std::vector<PictureFacts> pictures;
  for (const PicturePrompt& prompt : prompts)
    for (int64_t i = 0; i < s.num_images; ++i) {
      const int64_t number = int64_t(pictures.size());
      PictureFacts facts{.prompt = prompt.text,
                         .negative = prompt.negative.value_or(s.negative_prompt),
                         .label = classes == 0 ? -1
                                  : label < 0  ? number % classes
                                               : label,
                         .seed = prompt.seed ? *prompt.seed + i : s.global.seed + number,
                         .steps = prompt.steps.value_or(s.steps),
                         .width = prompt.width.value_or(s.width.value_or(trained.width * scale)),
                         .height = prompt.height.value_or(s.height.value_or(trained.height * scale)),
                         .guidance_scale = prompt.guidance_scale.value_or(s.guidance_scale.value_or(usual)),
                         .guidance_rescale = s.guidance_rescale,
                         .sampler = shown_sampler(scheduler),
                         .model = std::filesystem::path(s.model).filename().string(),
                         .init_image = s.init_image,
                         .rng = s.rng,
                         .strength = s.strength};
      check_size(s, pipeline, facts);
      check_guidance(s, pipeline, facts.guidance_scale);
      make_sampler(scheduler, facts.steps, {.eta = s.eta});
      pictures.push_back(std::move(facts));
    }
  return pictures;
}

}  // namespace plumb
