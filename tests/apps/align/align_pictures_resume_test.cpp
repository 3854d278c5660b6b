#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>

#include "apps/align/align.h"
#include "apps/align/pictures/aligner.h"
#include "apps/common/exit_codes.h"
#include "engine/io/file.h"
#include "engine/io/png.h"
#include "tests/diffusion/pipeline/tiny_pipeline.h"
#include "tests/support/data_folder.h"
#include "tests/support/sanitized.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using plumb::test::TempDir;

namespace {

constexpr int64_t kSteps = test::kSanitized ? 12 : 60, kPairs = kSteps / 3 * 4, kClasses = 3;  // 3 epochs of 4 a step

/// Pairs of 8 x 8 pixels, read once.
struct Pairs {
  TempDir dir;
  PictureAlignData data;

  Pairs() {
    std::string rows;
    for (int64_t i = 0; i < kPairs; ++i) {
      write_png(dir / (std::to_string(i) + ".png"), test::noise_picture(8, 8, i));
      rows += "{\"id\": \"" + std::to_string(i) + "\", \"prompt\": \"" + std::to_string(i % kClasses) +
              "\", \"neg_prompts\": [\"" + std::to_string((i + 1) % kClasses) + "\", \"" +
              std::to_string((i + 2) % kClasses) + "\"], \"pos_file\": \"" + std::to_string(i) +
              ".png\", \"neg_file\": \"" + std::to_string((i + 7) % kPairs) + ".png\"}\n";
    }
    write_file_atomic(dir / "metadata.jsonl", rows);
    data.train = read_preference_dataset(dir.path().string());
  }
};

Pipeline small_pipeline() {
  UNet2DOptions options = test::tiny_unet();
  options.num_class_embeds = kClasses;
  options.block_out_channels = {8};
  options.down_block_types = {"DownBlock2D"};
  options.up_block_types = {"UpBlock2D"};
  Generator generator(4);
  Pipeline pipeline = test::tiny_pipeline("DDPMPipeline");
  pipeline.unet = make_picture_denoiser(config_of(options), generator);
  test::perturb_all(pipeline);
  return pipeline;
}

/// With one number of a weight overwritten, the first unless told.
Pipeline changed(Pipeline pipeline, int64_t weight, float value, int64_t number = 0) {
  Parameter& parameter = *parameters(*pipeline.unet)[size_t(weight)].parameter;
  Tensor values = parameter.value().clone();
  values.mutable_data<float>()[number] = value;
  parameter.assign(values);
  return pipeline;
}

Arguments words_of(const std::string& model, const std::string& data, const std::string& out, int64_t steps) {
  return {"--model",
          model,
          "--data",
          data,
          "--out",
          out,
          "--train_batch_size",
          "1",
          "--gradient_accumulation_steps",
          "4",
          "--max_train_steps",
          std::to_string(steps),
          "--policy",
          "training_free",
          "--objective",
          "ddspo",
          "--report_to",
          "none",
          "--checkpointing_steps",
          "1",
          "--random_flip",
          "--quiet"};
}

PictureAlignSettings small_settings(const std::string& objective) {
  PictureAlignSettings settings;
  settings.global.seed = 3, settings.global.quiet = true;
  settings.objective.name = objective;
  settings.batch = 1, settings.accumulation = 4;
  settings.transform.random_flip = true;
  settings.transform.resolution = 8;
  settings.workers = 0;
  settings.optimizer.adam.learning_rate = 1e-4;
  settings.checkpoints = {.checkpoints_total_limit = 1, .report_to = "none"};
  settings.health = {.collapse_factor = 0, .saturation_share = 0};
  return settings;
}

/// Goes on to `steps` in a folder.
void run(PictureAlignSettings settings, const PictureAlignData& data, const std::string& out, int64_t steps) {
  settings.global.out = out;
  settings.optimizer.lr.total_steps = settings.checkpoints.checkpointing_steps = steps;
  settings.checkpoints.resume_from_checkpoint = "latest";
  resolve(settings);
  PictureAligner aligner(settings, Json::object(), data, small_pipeline());
  const OutputDir folder(out);
  aligner.prepare(folder);
  aligner.resume(folder);
  REQUIRE(aligner.run(folder) == 0);
}

/// The log without what the clock decides.
std::string log_of(const std::filesystem::path& folder) {
  std::string kept;
  const std::string log = read_file(folder / "log.jsonl");
  for (size_t at = 0; at < log.size(); at = log.find('\n', at) + 1)
    kept += log.substr(at, log.find("\"samples_per_s\"", at) - at) + "\n";
  return kept;
}

/// Names of those files in two runs' folders that are not the same, byte for byte.
std::string differences(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::string names;
  const std::string checkpoint = "checkpoint-" + std::to_string(kSteps) + "/";
  for (const std::string& name :
       {checkpoint + "model.safetensors", checkpoint + "optimizer.safetensors", checkpoint + "ema.safetensors",
        checkpoint + "more.safetensors", std::string("model/unet/diffusion_pytorch_model.safetensors")}) {
    const bool there = std::filesystem::exists(a / name);
    if (there != std::filesystem::exists(b / name) || (there && read_file(a / name) != read_file(b / name)))
      names += name + " ";
  }
  return names + (log_of(a) == log_of(b) ? "" : "log.jsonl");
}

}  // namespace

TEST_CASE("align pictures: stopped and resumed, each objective ends with the bits of an unbroken run") {
  // Together the ten objectives are stopped after each of the steps; each after all of them in the full count.
  const char* const counts = std::getenv("PLUMB_FAULTS");
  const bool every_step = counts && std::string(counts) == "full";
  const Pairs pairs;
  const TempDir dir;
  int64_t number = 0;
  for (const ObjectiveEntry& entry : objective_table()) {
    const std::string name(entry.name);
    CAPTURE(name);
    PictureAlignSettings settings = small_settings(name);
    if (name == "ddspo") settings.models.policy.name = "training_free";
    if (name == "dspo_ref") settings.perturb_init = 0.01;
    if (name == "diffusion_dpo") settings.reference.tau = 7, settings.reference.delta = 10;
    settings.use_ema = number % 2 == 0;
    run(settings, pairs.data, (dir / (name + "-whole")).string(), kSteps);
    for (int64_t step = 1; step <= kSteps; ++step)
      if (every_step || step == kSteps || step % 10 == number % 10)
        run(settings, pairs.data, (dir / (name + "-parts")).string(), step);
    CHECK(differences(dir / (name + "-whole"), dir / (name + "-parts")) == "");
    ++number;
  }
}

TEST_CASE("align pictures: Adafactor resumes to the bit, clips nothing unless told, and refuses AdamW's flags") {
  const Pairs pairs;
  const TempDir dir;
  save_pipeline(dir / "model", small_pipeline());
  const auto align = [&](const std::string& out, int64_t steps, const Arguments& more) {
    Arguments words = words_of(dir / "model", pairs.dir.path().string(), dir / out, steps);
    words.insert(words.end(), {"--optimizer", "adafactor"});
    words.insert(words.end(), more.begin(), more.end());
    return run_align(words);
  };
  const auto weights = [&](const std::string& out) {
    return read_file(dir / out / "model/unet/diffusion_pytorch_model.safetensors");
  };
  const Arguments resume = {"--resume_from_checkpoint", "latest"};
  REQUIRE(align("whole", 5, {}) == 0);
  REQUIRE(align("parts", 2, {}) == 0);
  REQUIRE(align("parts", 5, resume) == 0);
  CHECK(weights("parts") == weights("whole"));
  CHECK(log_of(dir / "parts") == log_of(dir / "whole"));
  const std::string config = read_file(dir / "whole/config.toml");
  CHECK(config.find("optimizer = \"adafactor\"") != std::string::npos);
  // The second moment sees how the norms of steps differ, which a small clip makes the same.
  REQUIRE(align("unclipped", 5, {"--max_grad_norm", "0"}) == 0);
  CHECK(weights("unclipped") == weights("whole"));
  REQUIRE(align("clipped", 5, {"--max_grad_norm", "1e-4"}) == 0);
  CHECK(weights("clipped") != weights("whole"));
  CHECK_THROWS_WITH_AS(align("refused", 5, {"--adam_beta1", "0.5"}),
                       "align: --adam_beta1 is AdamW's, and --optimizer is adafactor; leave out one of them",
                       UsageError);
  CHECK_FALSE(std::filesystem::exists(dir / "refused"));
  // The file that a run leaves, where every flag stands, gives that run again.
  REQUIRE(run_align({"--config", dir / "whole/config.toml", "--out", dir / "again", "--quiet"}) == 0);
  CHECK(weights("again") == weights("whole"));
  Arguments other = words_of(dir / "model", pairs.dir.path().string(), dir / "whole", 6);
  other.insert(other.end(), resume.begin(), resume.end());
  CHECK_THROWS_AS(run_align(other), UsageError);
}

TEST_CASE("align pictures: threads, folders and workers may change on the way; settings, data and weights may not") {
  const Pairs pairs;
  const TempDir dir;
  const auto words = [&](const std::string& model, const std::string& data, const std::string& out, int64_t steps) {
    return words_of(dir / model, dir / data, dir / out, steps);
  };
  const auto with = [](Arguments words, const Arguments& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  save_pipeline(dir / "model", small_pipeline());
  std::filesystem::copy(pairs.dir.path(), dir / "data", std::filesystem::copy_options::recursive);
  REQUIRE(run_align(with(words("model", "data", "whole", 6), {"--threads", "1"})) == 0);
  REQUIRE(run_align(with(words("model", "data", "out", 3), {"--threads", "2"})) == 0);

  std::filesystem::rename(dir / "data", dir / "moved data");
  std::filesystem::rename(dir / "model", dir / "moved model");
  std::filesystem::rename(dir / "out", dir / "moved");
  const Arguments go_on = with(words("moved model", "moved data", "moved", 6), {"--resume_from_checkpoint", "latest"});
  const auto refused = [&](const Arguments& more, const std::string& named) {
    CAPTURE(named);
    try {
      run_align(with(go_on, more));
      FAIL("was not refused");
    } catch (const UsageError& error) {
      CHECK(std::string(error.what()).find(named) != std::string::npos);
    }
  };
  refused({"--learning_rate", "1e-3"}, "--learning_rate");
  refused({"--seed", "9"}, "--seed");
  refused({"--set", "beta=7"}, "--set");
  refused({"--use_ema"}, "--use_ema");
  refused({"--independent_transforms"}, "--independent_transforms");
  refused({"--loser_source", "rand_positive"}, "other training data");
  refused({"--one_pair_per_prompt"}, "other training data");
  const Pipeline other = changed(small_pipeline(), 0, 0.5f);
  save_pipeline(dir / "other", other);
  refused({"--model", (dir / "other").string()}, "other weights");
  save_pipeline(dir / "hardly other", changed(small_pipeline(), 0, 0.5f, 100));
  refused({"--model", (dir / "hardly other").string()}, "other weights (model_weights_sha256)");

  REQUIRE(run_align(with(go_on, {"--threads", "3", "--dataloader_num_workers", "0"})) == 0);
  CHECK(read_file(dir / "moved/model/unet/diffusion_pytorch_model.safetensors") ==
        read_file(dir / "whole/model/unet/diffusion_pytorch_model.safetensors"));
  CHECK(log_of(dir / "moved") == log_of(dir / "whole"));
}

TEST_CASE("align pictures: what is not a number stops the run in the same step and is in no checkpoint") {
  const Pairs pairs;
  const TempDir dir;
  const int64_t weights = int64_t(parameters(*small_pipeline().unet).size());
  const auto stopped = [&](PictureAlignSettings settings, int64_t weight, float value) {
    settings.global.out = (dir / "out").string();
    settings.optimizer.lr.total_steps = 4;
    settings.checkpoints.checkpointing_steps = 2;
    resolve(settings);
    Pipeline pipeline = small_pipeline();
    if (weight >= 0) pipeline = changed(std::move(pipeline), weight, value);
    PictureAligner aligner(settings, Json::object(), pairs.data, std::move(pipeline));
    {
      const OutputDir folder(settings.global.out);
      aligner.prepare(folder);
      CHECK_THROWS_AS(aligner.run(folder), UnhealthyError);
      CHECK_FALSE(find_checkpoint(folder.path()));
      CHECK_FALSE(std::filesystem::exists(folder / "model"));
    }
    std::filesystem::remove_all(settings.global.out);
  };
  // A weight in each of the network's tensors, and a learning rate that ends beyond numbers.
  for (int64_t weight = 0; weight < weights; ++weight)
    stopped(small_settings("diffusion_dpo"), weight, weight % 2 ? std::nanf("") : HUGE_VALF);
  PictureAlignSettings fast = small_settings("diffusion_dpo");
  fast.optimizer.adam.learning_rate = 1e30;
  stopped(fast, -1, 0);
  CHECK(weights >= 50);
}
