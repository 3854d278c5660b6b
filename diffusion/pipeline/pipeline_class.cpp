#include "diffusion/pipeline/pipeline_class.h"

#include <algorithm>
#include <array>

#include "engine/require.h"

namespace plumb {
namespace {

constexpr std::array<PipelineClass, 11> kClasses = {{
    {"DDPMPipeline", "", 0},
    {"DDIMPipeline", "", 0},
    {"PNDMPipeline", "", 0},
    {"LDMPipeline", "vqvae", 0},
    {"TextToPixelsPipeline", "", 1},
    {"StableDiffusionPipeline", "vae", 1},
    {"StableDiffusionImg2ImgPipeline", "vae", 1},
    {"StableDiffusionInpaintPipeline", "vae", 1},
    {"StableDiffusionXLPipeline", "vae", 2, true},
    {"StableDiffusionXLImg2ImgPipeline", "vae", 2, true},
    {"StableDiffusionXLInpaintPipeline", "vae", 2, true},
}};

}  // namespace

std::span<const PipelineClass> pipeline_classes() { return kClasses; }

const PipelineClass& pipeline_class(std::string_view name, const std::string& source) {
  const auto found =
      std::find_if(kClasses.begin(), kClasses.end(), [&](const PipelineClass& each) { return each.name == name; });
  if (found != kClasses.end()) return *found;
  std::string known;
  for (const PipelineClass& each : kClasses) known += (known.empty() ? "" : ", ") + std::string(each.name);
  raise<ValueError>("pipeline: _class_name must be one of {} ({}); {}", known, name, source);
}

}  // namespace plumb
