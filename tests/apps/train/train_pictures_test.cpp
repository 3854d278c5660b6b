#include <doctest/doctest.h>

#include <cmath>

#include "apps/train/train.h"
#include "engine/io/file.h"
#include "engine/io/png.h"
#include "tests/apps/small_run.h"
#include "tests/diffusion/pipeline/tiny_pipeline.h"
#include "tests/support/data_folder.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using plumb::test::TempDir;
using plumb::test::tiny_pipeline;

namespace {

namespace fs = std::filesystem;

/// Five pictures with captions, and a small model to train on them.
struct Case {
  TempDir dir;

  explicit Case(const std::string& class_name, int64_t tokens = 7) {
    fs::create_directories(dir / "data");
    std::string rows;
    const char* const captions[] = {"a b", "ab", "", "b", "a b"};
    for (int64_t i = 0; i < 5; ++i) {
      const std::string name = std::to_string(i) + ".png";
      write_png(dir / "data" / name, test::noise_picture(18 + i, 20, i));
      rows += "{\"file_name\": \"" + name + "\", \"text\": \"" + captions[i] + "\"}\n";
    }
    write_file_atomic(dir / "data/metadata.jsonl", rows);
    Pipeline pipeline = tiny_pipeline(class_name);
    test::set_model_max_length(pipeline, tokens);
    save_pipeline(dir / "base", pipeline);
  }

  /// Trains `steps` steps into a folder; the exit code.
  int train(const std::string& out, int64_t steps, Arguments more = {}) const {
    Arguments words = test::small_run(dir / out, steps);
    words.insert(words.end(), {"--train_data_dir", (dir / "data").string(), "--pretrained_model_name_or_path",
                               (dir / "base").string(), "--learning_rate", "1e-3", "--center_crop", "--random_flip",
                               "--proportion_empty_prompts", "0.3", "--checkpointing_steps", "2"});
    words.insert(words.end(), more.begin(), more.end());
    return run_train(words);
  }

  std::string weights(const std::string& out) const {
    return read_file(dir / out / "model/unet/diffusion_pytorch_model.safetensors");
  }
  std::vector<double> losses(const std::string& out) const {
    std::vector<double> losses;
    const std::string log = read_file(dir / out / "log.jsonl");
    for (size_t at = 0; at < log.size(); at = log.find('\n', at) + 1)
      losses.push_back(Json::parse(log.substr(at, log.find('\n', at) - at)).at("loss").as_number());
    return losses;
  }
  int64_t caches(const std::string& out, const std::string& name) const {
    int64_t count = 0;
    for (const auto& entry : fs::directory_iterator(dir / out / "cache"))
      count += entry.path().filename().string().starts_with(name);
    return count;
  }
};

double worst_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double worst = a.size() == b.size() ? 0 : 1;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) worst = std::max(worst, std::abs(a[i] / b[i] - 1));
  return worst;
}

}  // namespace

TEST_CASE("train pictures: text and latents; resumes to the bit; caches change nothing and are never stale") {
  const Case tiny("StableDiffusionPipeline");
  REQUIRE(tiny.train("whole", 4,
                     {"--validation_steps", "3", "--validation_prompts", "a, b", "--validation_prompts", "ab",
                      "--num_inference_steps", "2"}) == 0);
  CHECK(fs::exists(tiny.dir / "whole/samples/step-00000003.png"));
  CHECK(load_pipeline(tiny.dir / "whole/model").class_name == "StableDiffusionPipeline");
  REQUIRE(tiny.train("parts", 2) == 0);
  CHECK(tiny.weights("parts") != tiny.weights("whole"));
  REQUIRE(tiny.train("parts", 4, {"--resume_from_checkpoint", "latest"}) == 0);
  CHECK(tiny.weights("parts") == tiny.weights("whole"));
  CHECK((tiny.caches("parts", "text-") == 1 && tiny.caches("parts", "latents-") == 1));

  const Arguments adafactor = {"--optimizer", "adafactor", "--adam_weight_decay", "0.1"};
  REQUIRE(tiny.train("adafactor", 4, adafactor) == 0);
  CHECK(tiny.weights("adafactor") != tiny.weights("whole"));
  CHECK(tiny.losses("adafactor").front() == tiny.losses("whole").front());
  REQUIRE(tiny.train("adafactor parts", 2, adafactor) == 0);
  REQUIRE(tiny.train(
              "adafactor parts", 4,
              {"--optimizer", "adafactor", "--adam_weight_decay", "0.1", "--resume_from_checkpoint", "latest"}) == 0);
  CHECK(tiny.weights("adafactor parts") == tiny.weights("adafactor"));

  REQUIRE(tiny.train("fresh", 4, {"--no_cache_latents"}) == 0);
  CHECK(tiny.caches("fresh", "latents-") == 0);
  CHECK(worst_difference(tiny.losses("fresh"), tiny.losses("whole")) < 1e-5);

  // Other pictures: other latents beside the old ones; a file that was cut short is made again.
  write_file_atomic(tiny.dir / "data/0.png", read_file(tiny.dir / "data/1.png"));
  for (const auto& entry : fs::recursive_directory_iterator(tiny.dir / "parts/cache"))
    if (entry.path().filename() == "00000.safetensors" && entry.path().string().find("text-") != std::string::npos)
      fs::resize_file(entry.path(), 40);
  for (const auto& entry : fs::directory_iterator(tiny.dir / "parts"))
    if (entry.path().filename().string().starts_with("checkpoint-")) fs::remove_all(entry.path());
  REQUIRE(tiny.train("parts", 2) == 0);
  CHECK((tiny.caches("parts", "text-") == 1 && tiny.caches("parts", "latents-") == 2));
}

TEST_CASE("train pictures: SDXL's pooled text and sizes, and a new network behind an old autoencoder") {
  const Case large("StableDiffusionXLPipeline");
  REQUIRE(large.train("xl", 1, {"--snr_gamma", "5"}) == 0);
  CHECK(load_pipeline(large.dir / "xl/model").class_name == "StableDiffusionXLPipeline");
  const Case small("StableDiffusionPipeline");
  REQUIRE(small.train("new", 1, {"--unet_init", "tiny", "--prediction_type", "v_prediction"}) == 0);
  const Pipeline made = load_pipeline(small.dir / "new/model");
  CHECK(made.unet->context_features() == 64);
  CHECK(made.scheduler.prediction_type == Prediction::v_prediction);
}
