#include "nn/pretrained/ldm_family.h"

#include <algorithm>
#include <array>

#include "engine/require.h"
#include "nn/pretrained/ldm_shapes.h"

namespace plumb {
namespace {

constexpr std::string_view kUnet = "model.diffusion_model.", kVae = "first_stage_model.";
constexpr std::string_view kDiffusers = "diffusion_pytorch_model", kTransformers = "model";

constexpr std::array<LdmComponent, 3> kFirst = {
    {{"unet", LdmPart::unet, kUnet, kDiffusers},
     {"vae", LdmPart::vae, kVae, kDiffusers},
     {"text_encoder", LdmPart::clip, "cond_stage_model.transformer.", kTransformers}}};
constexpr std::array<LdmComponent, 3> kSecond = {
    {{"unet", LdmPart::unet, kUnet, kDiffusers},
     {"vae", LdmPart::vae, kVae, kDiffusers},
     {"text_encoder", LdmPart::open_clip, "cond_stage_model.model.", kTransformers}}};
constexpr std::array<LdmComponent, 4> kLarge = {
    {{"unet", LdmPart::unet, kUnet, kDiffusers},
     {"vae", LdmPart::vae, kVae, kDiffusers},
     {"text_encoder", LdmPart::clip, "conditioner.embedders.0.transformer.", kTransformers},
     {"text_encoder_2", LdmPart::open_clip, "conditioner.embedders.1.model.", kTransformers}}};

[[noreturn]] void raise_no_family(const StateDict& file) {
  const auto any = [&](std::string_view start) {
    return std::any_of(file.begin(), file.end(),
                       [&](const NamedTensor& named) { return named.name.starts_with(start); });
  };
  const char* hint = "none of its names begins with model.diffusion_model.";
  if (any("conditioner.embedders.0.model.")) hint = "it is a refiner of SDXL, which is not supported";
  if (any("down_blocks.")) hint = "it is one component of a folder: give the folder that has its model_index.json";
  if (any("lora_") || any("unet.")) hint = "it is an adapter: plumb merge adds it to a model";
  raise<ValueError>("single file: must be a model of Stable Diffusion 1, 2 or XL ({})", hint);
}

}  // namespace

std::string_view name_of(LdmFamily family) {
  return family == LdmFamily::sd1 ? "SD1" : family == LdmFamily::sd2 ? "SD2" : "SDXL";
}

std::span<const LdmComponent> ldm_components(LdmFamily family) {
  if (family == LdmFamily::sd1) return kFirst;
  if (family == LdmFamily::sd2) return kSecond;
  return kLarge;
}

LdmFamily ldm_family(const StateDict& file) {
  const LdmShapes all(file, "");
  const bool refiner = all.has_any("conditioner.embedders.0.model.");
  if (refiner || !all.has_any(std::string(kUnet))) raise_no_family(file);
  if (all.has_any("conditioner.embedders.")) return LdmFamily::sdxl;
  if (all.has_any("cond_stage_model.model.")) return LdmFamily::sd2;
  if (all.has_any("cond_stage_model.transformer.")) return LdmFamily::sd1;
  // A unet without a text encoder.
  if (all.has_any("model.diffusion_model.label_emb.0.")) return LdmFamily::sdxl;
  const std::string first = "model.diffusion_model.input_blocks.1.1.proj_in.weight";
  return all.has(first) && all.rank(first) == 2 ? LdmFamily::sd2 : LdmFamily::sd1;
}

bool is_ldm_leftover(LdmFamily family, LdmPart part, std::string_view name) {
  if (part == LdmPart::clip) return name.ends_with("embeddings.position_ids");
  if (part == LdmPart::vae) return name == "logvar" || name.starts_with("loss.") || name.starts_with("model_ema.");
  if (part != LdmPart::open_clip) return false;
  if (name == "logit_scale" || name == "attn_mask" || name.starts_with("visual.")) return true;
  return family == LdmFamily::sd2 && (name == "text_projection" || name.starts_with("transformer.resblocks."));
}

}  // namespace plumb
