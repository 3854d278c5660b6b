#include "apps/sample/picture_files.h"

#include "engine/format.h"

namespace plumb {

std::string parameters_text(const PictureFacts& f) {
  std::string text = f.prompt.empty() ? "" : f.prompt + "\n";
  if (!f.negative.empty()) text += "Negative prompt: " + f.negative + "\n";
  text += fmt::format("Steps: {}, Sampler: {}, CFG scale: {}, Seed: {}, Size: {}x{}, Model: {}", f.steps, f.sampler,
                      f.guidance_scale, f.seed, f.width, f.height, f.model);
  if (f.label >= 0) text += fmt::format(", Class: {}", f.label);
  if (f.guidance_rescale > 0) text += fmt::format(", CFG Rescale phi: {}", f.guidance_rescale);
  if (!f.init_image.empty()) text += fmt::format(", Init image: {}, Denoising strength: {}", f.init_image, f.strength);
  return text + fmt::format(", RNG: {}", f.rng);
}

Json metadata_line(const std::string& file_name, const PictureFacts& f) {
  Json json = Json::object();
  json.set("file_name", file_name).set("text", f.prompt);
  if (!f.negative.empty()) json.set("negative_prompt", f.negative);
  if (f.label >= 0) json.set("class", f.label);
  json.set("seed", f.seed).set("num_inference_steps", f.steps).set("guidance_scale", f.guidance_scale);
  json.set("width", f.width).set("height", f.height).set("sampler", f.sampler).set("rng", f.rng);
  if (!f.init_image.empty()) json.set("init_image", f.init_image).set("strength", f.strength);
  return json;
}

}  // namespace plumb
