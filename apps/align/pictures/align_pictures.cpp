#include "apps/align/pictures/align_pictures.h"

#include <algorithm>
#include <cstdio>

#include "apps/align/pictures/aligner.h"
#include "apps/common/globals.h"
#include "apps/common/memory_report.h"
#include "apps/common/picture_memory.h"
#include "apps/common/picture_shape.h"
#include "apps/common/run_identity.h"
#include "apps/train/pictures/model.h"
#include "engine/format.h"
#include "engine/io/file.h"
#include "engine/io/sha256.h"
#include "engine/require.h"
#include "nn/visitors.h"

namespace plumb {
namespace {

PreferenceDataset read_preferences(const PictureAlignSettings& s, const std::string& path) {
  PreferenceDataset data = read_preference_dataset(path, {.skip_broken = s.skip_broken});
  if (s.skip_broken) drop_unreadable(data);
  require<UsageError>(!data.samples.empty(), "align: no usable pairs in {}", path);
  return data;
}

/// Refuses what asks for pairs.
void check_unpaired(const PictureAlignSettings& s) {
  require<UsageError>(s.objective.name == "diffusion_kto",
                      "align: {} holds samples judged one by one, which --objective diffusion_kto alone takes (got {})",
                      s.data, s.objective.name);
  require<UsageError>(s.models.policy.name == "forward",
                      "align: --policy {} has targets for pairs, and {} holds samples judged one by one; leave it out",
                      s.models.policy.name, s.data);
  require<UsageError>(
      !s.one_pair_per_prompt && s.loser_source == LoserSource::paired,
      "align: --one_pair_per_prompt and --loser_source are of pairs, and {} holds samples judged one by "
      "one; leave them out",
      s.data);
}

PictureAlignData read_data(const PictureAlignSettings& s) {
  PictureAlignData data{.train = read_preferences(s, s.data)};
  if (data.train.is_unpaired()) check_unpaired(s);
  if (s.one_pair_per_prompt) data.train = one_sample_a_prompt(std::move(data.train));
  if (s.loser_source != LoserSource::paired)
    data.train = with_losers(std::move(data.train), s.loser_source,
                             RandomKey{.seed = uint64_t(s.global.seed)}.fork("loser source"));
  if (!s.validation_data.empty()) data.validation = read_preferences(s, s.validation_data);
  require<UsageError>(!data.validation || !data.validation->is_unpaired(),
                      "align: --validation_data {} holds samples judged one by one; what is held out must be pairs",
                      s.validation_data);
  if (!s.random_prompts.empty()) data.random_prompts = read_rewrites(s.random_prompts);
  return data;
}

void complete(PictureAlignSettings& s, const Pipeline& pipeline) {
  s.transform.resolution = resolution_of("align", pipeline, s.resolution);
  require_picture_channels("align", pipeline);
  s.transform.channels = pipeline.vae ? pipeline.vae->options().in_channels : pipeline.unet->in_channels();
}

void announce(const PictureAlignSettings& s, const PictureAlignData& data, const Pipeline& pipeline) {
  const char* const what = data.train.is_unpaired() ? "samples" : "pairs";
  std::fprintf(stderr, "%s: %zu %s", data.train.layout.c_str(), data.train.samples.size(), what);
  if (data.train.ties > 0) std::fprintf(stderr, ", %lld ties left out", static_cast<long long>(data.train.ties));
  if (!data.train.skipped.empty())
    std::fprintf(stderr, ", %zu rows skipped (%s)", data.train.skipped.size(), data.train.skipped.front().c_str());
  if (data.validation) std::fprintf(stderr, "; %zu held out", data.validation->samples.size());
  std::fprintf(stderr, "\n");
  for (const std::string& note : pipeline.notes) std::fprintf(stderr, "plumb: warning: %s\n", note.c_str());
  std::fprintf(stderr, "%lld steps of %lld x %lld %s, %lld x %lld pixels\n", static_cast<long long>(s.steps()),
               static_cast<long long>(s.accumulation), static_cast<long long>(s.batch), what,
               static_cast<long long>(s.transform.resolution), static_cast<long long>(s.transform.resolution));
}

/// Of the adapters that a LoRA run trains: a layer's rows and columns times the rank.
int64_t adapter_parameters(const PictureAlignSettings& s, PictureDenoiser& unet) {
  const std::vector<std::string> targets = adapter_targets(s);
  int64_t total = 0;
  for (const NamedParameter& named : parameters(unet)) {
    const Shape& shape = named.parameter->shape();
    const auto is_of = [&](const std::string& target) { return named.name.ends_with(target + ".weight"); };
    if (shape.rank() >= 2 && std::any_of(targets.begin(), targets.end(), is_of))
      total += s.models.adapter.rank * (shape[0] + named.parameter->numel() / shape[0]);
  }
  return total;
}

void require_memory(const PictureAlignSettings& s, const Pipeline& pipeline) {
  if (!s.models.device.is_cpu()) return;
  const bool losers = make_objective(s.objective.name, s.objective.set)->uses_losers();
  PictureWork work{.batch = losers ? 2 * s.batch : s.batch,
                   .height = s.transform.resolution,
                   .width = s.transform.resolution,
                   .checkpointing = s.gradient_checkpointing,
                   .average = s.use_ema,
                   .adafactor = s.optimizer.kind == OptimizerKind::adafactor};
  if (s.models.use_lora)
    work.adapter_parameters = adapter_parameters(s, *pipeline.unet);
  else
    work.frozen_copies = s.models.moving_reference ? 2 : 1;
  require_memory("align", pipeline, work);
}

/// The settings that decide what a run computes, with hashes of its data and of the model it begins with.
Json identity_of(const PictureAlignSettings& s, const ConfigEntries& resolved, const PictureAlignData& data,
                 const Pipeline& pipeline) {
  Json identity =
      run_identity(resolved, s.optimizer.lr.kind,
                   {"data", "model", "one_pair_per_prompt", "loser_source", "skip_broken", "dataloader_num_workers",
                    "dataloader_memory", "cache_latents", "merge_lora", "log_bins_steps", "validation_data",
                    "validation_steps", "validation_prompts", "num_validation_images", "num_inference_steps",
                    "guidance_scale", "cache_reference", "random_prompts"});
  // Not told where there is none: checkpoints from before there was a choice go on.
  if (s.cache_reference > 0) identity.set("cache_reference", s.cache_reference);
  Sha256 models;
  for (const PipelineModule& part : modules_of(pipeline)) models.update(part.name + train::fingerprint(*part.module));
  constexpr int64_t kFew = 64'000'000;  // hashed in a second or two
  Sha256 weights;
  int64_t values = 0;
  for (const PipelineModule& part : modules_of(pipeline)) values += count(parameters(*part.module));
  if (values <= kFew) {
    for (const PipelineModule& part : modules_of(pipeline)) weights.update(train::weights_hash(*part.module));
    identity.set(kWeightsHash, weights.finish_hex());
  }
  if (data.random_prompts) identity.set("random_prompts_sha256", sha256_hex(read_file(s.random_prompts)));
  return identity.set("data_sha256", hash_of(data.train)).set("model_sha256", models.finish_hex());
}

}  // namespace

int run_align_pictures(const Arguments& arguments) {
  PictureAlignSettings settings;
  Flags flags("align", "fine-tunes a model of pictures on preferences");
  add_flags(flags, settings);
  if (!flags.parse(arguments)) return kExitDone;
  settle(settings.optimizer, flags, "align");
  settings.models.device = apply_globals(settings.global, RunsOn::cpu_and_cuda);
  const ConfigEntries resolved = flags.resolved();
  settings.cuda_graph = graph_steps("align", settings.cuda_graph, settings.models.device, "", settings.global.quiet);

  // Everything that can be refused is refused before the folder is touched.
  resolve(settings);
  Pipeline pipeline = load_pipeline(settings.model);
  const PictureAlignData data = read_data(settings);
  complete(settings, pipeline);
  require_memory(settings, pipeline);
  if (!settings.global.quiet) announce(settings, data, pipeline);
  Json identity = identity_of(settings, resolved, data, pipeline);
  PictureAligner aligner(settings, std::move(identity), data, std::move(pipeline));
  const OutputDir out(settings.global.out);
  aligner.prepare(out);
  aligner.resume(out);
  write_config(out / "config.toml", "align", resolved);
  const int code = aligner.run(out);
  if (code == kExitDone && !settings.global.quiet)
    std::printf("model: %s\n%s\n", (out / "model").c_str(), memory_line(settings.models.device).c_str());
  return code;
}

}  // namespace plumb
