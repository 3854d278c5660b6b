#include "apps/sample/settings.h"

#include <charconv>

#include "diffusion/sampler/make_sampler.h"
#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr const char* kPictureFlags[] = {"prompt",       "prompts",    "negative_prompt",  "num_images",
                                         "height",       "width",      "guidance_rescale", "init_image",
                                         "strength",     "grid",       "vae_tiling",       "preview_steps",
                                         "preview_vae",  "batch_size", "clip_skip",        "tokenizer",
                                         "save_tensors", "variant",    "mixed_precision"};

std::vector<std::string> with_auto(std::vector<std::string> names) {
  names.insert(names.begin(), "auto");
  return names;
}

void add_picture_flags(Flags& flags, SampleSettings& s) {
  flags.add("--prompt", s.prompt, "what to draw; repeatable").shown_as("TEXT").whole();
  flags.add("--prompts", s.prompts, "file of prompts: a line each (--n --w --h --d --l --s), or .jsonl")
      .shown_as("PATH");
  flags.add("--negative_prompt", s.negative_prompt, "what not to draw").shown_as("TEXT");
  flags.add("--num_images", s.num_images, "pictures for each prompt; without prompts in all", between(1, 1'000'000));
  flags.add("--height", s.height, "pixels; the model's own", at_least(1));
  flags.add("--width", s.width, "pixels; the model's own", at_least(1));
  flags.add("--init_image", s.init_image, "picture to begin from").shown_as("PATH");
  flags.add("--strength", s.strength, "how far --init_image is noised", above_to(0, 1));
  flags.add("--grid", s.grid, "also one picture of all, grid.png");
  flags.add("--guidance_rescale", s.guidance_rescale, "guidance's spread towards that without", between(0, 1))
      .advanced();
  flags.add("--vae_tiling", s.vae_tiling, "decode in tiles: less memory").advanced();
  flags.add("--preview_steps", s.preview_steps, "a rough preview every so many steps; 0: none", non_negative())
      .advanced();
  flags.add("--preview_vae", s.preview_vae, "previews by the autoencoder").advanced();
  flags.add("--save_tensors", s.save_tensors, "also samples.safetensors").advanced();
  flags.add("--batch_size", s.batch_size, "pictures at once; their last bits depend on it", between(1, 4096))
      .advanced();
  flags.add("--clip_skip", s.clip_skip, "layers of the text encoder left out at its end", between(0, 64)).advanced();
  flags.add("--tokenizer", s.tokenizer, "folder with the tokenizer a single file lacks").shown_as("FOLDER").advanced();
  flags.add("--variant", s.variant, "of the weight files, such as fp16").advanced();
  flags.add("--pack_memory", s.pack_memory_mib, "MiB for weights packed for speed, 0: none [256]", non_negative())
      .advanced();
  add_precision_flag(flags, s.mixed_precision);
  flags.make_advanced({"mixed_precision"});
}

}  // namespace

void add_sample_flags(Flags& flags, SampleSettings& s) {
  std::vector<std::string> samplers;
  for (const std::string_view name : sampler_names()) samplers.emplace_back(name);
  flags.add("--model", s.model, "model folder: plumb train's or diffusers'").shown_as("FOLDER").required();
  add_picture_flags(flags, s);
  flags.add("--num_samples", s.num_samples, "points in all", between(1, 100'000'000));
  flags.add("--class", s.classes, "a class label, or all: the classes in turn").shown_as("L|all");
  flags.add("--sampler", s.sampler, "how noise becomes data; points: ddim, ddpm", one_of(with_auto(samplers)))
      .shown_as("S");
  flags.add("--num_inference_steps", s.steps, "steps of the sampler", at_least(1)).alias("--steps");
  flags.add("--guidance_scale", s.guidance_scale, "towards the prompt or class; 1: no guidance", non_negative());
  flags.add("--negative_class", s.negative_class, "class to be guided away from", non_negative()).advanced();
  flags.add("--adapter", s.adapter, "low-rank adapter to sample with, as plumb align --use_lora writes it")
      .shown_as("PATH")
      .advanced();
  flags.add("--eta", s.eta, "noise in DDIM's steps: 0 none, 1 as DDPM", non_negative()).advanced();
  flags
      .add("--timestep_spacing", s.spacing, "which training timesteps",
           one_of({"auto", "leading", "linspace", "trailing"}))
      .advanced();
  flags.add("--rng", s.rng, "noise of --seed", one_of({"plumb", "torch"})).advanced();
  flags.add_global(s.global);
  flags.example("plumb sample --model runs/ring/model --num_inference_steps 20 --out runs/ring/samples");
  flags.example("plumb sample --model sd15 --prompt \"a red bicycle\" --num_images 4 --grid --out runs/bicycle");
}

void refuse_picture_flags(const Flags& flags) {
  for (const char* name : kPictureFlags)
    require<UsageError>(!flags.changed(name), "sample: --{} is for models of pictures; this is one of points", name);
}

void refuse_point_flags(const Flags& flags) {
  require<UsageError>(!flags.changed("num_samples"),
                      "sample: --num_samples is for models of points; this is one of pictures, see --num_images");
}

int64_t chosen_class(const SampleSettings& s, int64_t classes) {
  if (s.classes == "all") return -1;
  int64_t label = -1;
  const char* end = s.classes.data() + s.classes.size();
  const auto [rest, code] = std::from_chars(s.classes.data(), end, label);
  require<UsageError>(classes > 0, "sample: --class {} for a model without classes; leave it out", s.classes);
  require<UsageError>(code == std::errc() && rest == end && label >= 0 && label < classes,
                      "sample: --class expects all or a label in [0, {}) (got \"{}\")", classes, s.classes);
  return label;
}

}  // namespace plumb
