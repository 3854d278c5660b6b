#include "apps/pairs/settings.h"

#include "diffusion/sampler/make_sampler.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr const char* kPictureFlags[] = {
    "prompts", "perturbation", "world",        "num_pairs",      "losers",  "sampler",   "height",
    "width",   "batch_size",   "save_latents", "guidance_scale", "variant", "tokenizer", "mixed_precision"};
constexpr const char* kPointFlags[] = {"pairs_per_class", "negative", "classes",  "noise_fraction",
                                       "radius",          "sigma",    "inflation"};

}  // namespace

void add_pairs_flags(Flags& flags, PairsSettings& s) {
  std::vector<std::string> samplers{"auto"};
  for (const std::string_view name : sampler_names()) samplers.emplace_back(name);
  flags.add("--model", s.model, "model folder that is sampled, of points or pictures; else the clean world of points")
      .shown_as("FOLDER");
  flags.add("--prompts", s.prompts, "file of prompts c: a line each, or .jsonl").shown_as("PATH");
  flags.add("--perturbation", s.perturbation, "how c becomes c-: removal, swap, quality, file:REWRITES.jsonl, none")
      .shown_as("HOW");
  flags.add("--num_pairs", s.num_pairs, "pairs in all; one a prompt", between(1, 10'000'000));
  flags.add("--losers", s.losers, "drawn with c-, or left out", one_of({"sampled", "none"}));
  flags.add("--guidance_scale", s.guidance_scale, "towards c and towards c-", non_negative());
  flags.add("--batch_size", s.batch_size, "pairs drawn at once", between(1, 4096));
  flags.add("--save_latents", s.save_latents, "what the network drew as safetensors, rather than pictures");
  flags.add("--sampler", s.sampler, "how noise becomes data", one_of(samplers)).shown_as("S").advanced();
  flags.add("--world", s.world, "of captioned shapes, for swap: tiny, full, a JSON file, or a data set's folder")
      .shown_as("WORLD")
      .advanced();
  flags.add("--height", s.height, "pixels; the model's own", at_least(1)).advanced();
  flags.add("--width", s.width, "pixels; the model's own", at_least(1)).advanced();
  flags.add("--tokenizer", s.tokenizer, "folder with the tokenizer a single file lacks").shown_as("FOLDER").advanced();
  flags.add("--variant", s.variant, "of the weight files, such as fp16").advanced();
  add_precision_flag(flags, s.mixed_precision);
  flags.add("--num_inference_steps", s.steps, "steps of the sampler", at_least(1));
  flags
      .add("--timestep_spacing", s.spacing, "which training timesteps",
           one_of({"auto", "leading", "linspace", "trailing"}))
      .advanced();
  add_pair_label_flags(flags, s.points);
  add_world_flags(flags, s.points.world);
  flags.make_advanced({"mixed_precision", "noise_fraction", "radius", "sigma", "inflation"});
  flags.add_global(s.global);
  flags.example("plumb pairs --model sd15 --prompts prompts.txt --num_pairs 5000 --out runs/pairs");
  flags.example("plumb pairs --model runs/train/model --pairs_per_class 64 --out runs/pairs");
}

void refuse_picture_pair_flags(const Flags& flags) {
  for (const char* name : kPictureFlags)
    require<UsageError>(!flags.changed(name), "pairs: --{} is for models of pictures; this is one of points", name);
}

std::vector<std::string_view> point_pair_flags() { return {std::begin(kPointFlags), std::end(kPointFlags)}; }

void refuse_point_pair_flags(const Flags& flags) {
  for (const char* name : kPointFlags)
    require<UsageError>(!flags.changed(name), "pairs: --{} is for points; this is a model of pictures", name);
}

}  // namespace plumb
