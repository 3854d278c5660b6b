#include "apps/align/pictures/align_pictures.h"

#include <doctest/doctest.h>

#include <cmath>

#include "align/objective.h"
#include "apps/common/exit_codes.h"
#include "engine/io/file.h"
#include "engine/io/png.h"
#include "engine/io/safetensors.h"
#include "tests/apps/align/align_case.h"
#include "tests/diffusion/pipeline/tiny_pipeline.h"
#include "tests/support/data_folder.h"

using namespace plumb;
using plumb::test::tiny_pipeline;

namespace {

namespace fs = std::filesystem;

/// Five pairs of pictures with prompts, and a small model to align with them.
struct Case : test::AlignCase {
  explicit Case(const std::string& class_name, int64_t classes = 0, int64_t tokens = 7) {
    fs::create_directories(dir / "data");
    std::string rows;
    const char* const prompts[] = {"a b", "ab", "b a b", "b", "a b"};
    for (int64_t i = 0; i < 10; ++i)
      write_png(dir / "data" / (std::to_string(i) + ".png"), test::noise_picture(18 + i / 2, 20, i));
    for (int64_t i = 0; i < 5; ++i) {
      const std::string number = std::to_string(i);
      const std::string prompt = classes > 0 ? std::to_string(i % classes) : prompts[i];
      const std::string negative = classes > 0 ? std::to_string((i + 1) % classes) : i % 2 ? "b" : "";
      const std::string other = classes > 0 ? std::to_string((i + 2) % classes) : "a";
      rows += "{\"id\": \"" + number + "\", \"prompt\": \"" + prompt + "\", \"neg_prompts\": [\"" + negative +
              "\", \"" + other + "\"], \"pos_file\": \"" + number + ".png\", \"neg_file\": \"" + std::to_string(i + 5) +
              ".png\"}\n";
    }
    write_file_atomic(dir / "data/metadata.jsonl", rows);
    Pipeline pipeline = tiny_pipeline(class_name);
    if (classes > 0) {
      UNet2DOptions options = test::tiny_unet();
      options.num_class_embeds = classes;
      Generator generator(4);
      pipeline.unet = make_picture_denoiser(config_of(options), generator);
      test::perturb_all(pipeline);
    }
    test::set_model_max_length(pipeline, tokens);
    save_pipeline(dir / "base", pipeline);
  }

  /// The exit code.
  int align(const std::string& out, int64_t steps, Arguments more = {}) const {
    more.insert(more.begin(), {"--random_flip", "--checkpointing_steps", "2"});
    return run("data", out, steps, more);
  }

  std::string trained(const std::string& out) const {
    const fs::path adapter = dir / out / "adapter/pytorch_lora_weights.safetensors";
    return fs::exists(adapter) ? read_file(adapter) : weights(out);
  }
  std::vector<double> logged(const std::string& out, const std::string& name) const {
    std::vector<double> values;
    const std::string log = read_file(dir / out / "log.jsonl");
    for (size_t at = 0; at < log.size(); at = log.find('\n', at) + 1) {
      const Json line = Json::parse(log.substr(at, log.find('\n', at) - at));
      if (const Json* value = line.find(name)) values.push_back(value->as_number());
    }
    return values;
  }
};

double worst_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double worst = a.size() == b.size() && !a.empty() ? 0 : 1;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) worst = std::max(worst, std::abs(a[i] / b[i] - 1));
  return worst;
}

}  // namespace

TEST_CASE("align pictures: text and latents; resumes to the bit; what is watched and cached changes nothing") {
  const Case tiny("StableDiffusionPipeline");
  const Arguments method = {"--objective", "ddspo",    "--policy", "training_free", "--proportion_empty_prompts",
                            "0.3",         "--use_ema"};
  const auto with = [&](Arguments more) {
    more.insert(more.end(), method.begin(), method.end());
    return more;
  };
  REQUIRE(tiny.align("whole", 4, method) == 0);
  CHECK(load_pipeline(tiny.dir / "whole/model").class_name == "StableDiffusionPipeline");
  CHECK(tiny.weights("whole") != read_file(tiny.dir / "base/unet/diffusion_pytorch_model.safetensors"));
  // The other parts are as they were.
  for (const char* part : {"vae/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors"})
    CHECK(read_file(tiny.dir / "whole/model" / part) == read_file(tiny.dir / "base" / part));

  REQUIRE(tiny.align("parts", 2, method) == 0);
  CHECK(tiny.weights("parts") != tiny.weights("whole"));
  REQUIRE(tiny.align("parts", 4, with({"--resume_from_checkpoint", "latest"})) == 0);
  CHECK(tiny.weights("parts") == tiny.weights("whole"));

  REQUIRE(tiny.align("watched", 4,
                     with({"--validation_steps", "3", "--validation_prompts", "a, b", "--validation_prompts", "ab",
                           "--num_inference_steps", "2", "--validation_data", (tiny.dir / "data").string()})) == 0);
  CHECK(tiny.weights("watched") == tiny.weights("whole"));
  CHECK(fs::exists(tiny.dir / "watched/samples/step-00000003.png"));
  CHECK(fs::exists(tiny.dir / "watched/before_after.png"));
  CHECK(tiny.logged("watched", "validation_accuracy").size() == 1);

  REQUIRE(tiny.align("fresh", 4, with({"--no_cache_latents"})) == 0);
  CHECK(worst_difference(tiny.logged("fresh", "error_l"), tiny.logged("whole", "error_l")) < 1e-3);
  CHECK(tiny.logged("whole", "ref_error_w") == std::vector<double>(4, 0.0));
}

TEST_CASE("align pictures: with cached reference errors steps are those that run the reference, and draws come again") {
  const Case tiny("StableDiffusionPipeline");
  struct Method {
    std::string name;
    Arguments words;
  };
  for (const Method& method :
       {Method{"ddspo", {"--objective", "ddspo", "--policy", "training_free", "--proportion_empty_prompts", "0.3"}},
        {"data_driven", {"--objective", "ddspo", "--policy", "data_driven", "--dd_max_train_steps", "2", "--use_lora"}},
        {"self_dpo", {"--objective", "self_dpo"}}}) {
    CAPTURE(method.name);
    const auto run = [&](const std::string& out, int64_t steps, Arguments more) {
      more.insert(more.end(), method.words.begin(), method.words.end());
      return tiny.align(method.name + out, steps, more);
    };
    // Four draws of five pairs are five steps: all that are made.
    REQUIRE(run("", 4, {}) == 0);
    REQUIRE(run(" cached", 4, {"--cache_reference", "4"}) == 0);
    for (const char* name : {"error_w", "error_l", "ref_error_l"}) {
      CAPTURE(name);
      CHECK(worst_difference(tiny.logged(method.name + " cached", name), tiny.logged(method.name, name)) < 1e-4);
    }
    // One is two steps, the second of them one into the next epoch.
    REQUIRE(run(" whole", 4, {"--cache_reference", "1"}) == 0);
    const std::vector<double> errors = tiny.logged(method.name + " whole", "ref_error_l");
    CHECK(errors == std::vector<double>{errors[0], errors[1], errors[0], errors[1]});
    CHECK(errors[0] != errors[1]);
    CHECK(tiny.logged(method.name + " whole", "error_l")[0] != tiny.logged(method.name + " whole", "error_l")[2]);
    REQUIRE(run(" parts", 1, {"--cache_reference", "1"}) == 0);
    REQUIRE(run(" parts", 4, {"--cache_reference", "1", "--resume_from_checkpoint", "latest"}) == 0);
    CHECK(tiny.trained(method.name + " parts") == tiny.trained(method.name + " whole"));
    CHECK_THROWS_AS(run(" parts", 5, {"--cache_reference", "2", "--resume_from_checkpoint", "latest"}), UsageError);
  }
}

TEST_CASE("align pictures: pixels with classes; every objective makes steps, winners alone where that is enough") {
  const Case tiny("DDPMPipeline", 3);
  for (const ObjectiveEntry& entry : objective_table()) {
    const std::string name(entry.name);
    CAPTURE(name);
    Arguments more = {"--objective", name};
    if (name == "dspo_ref") more.insert(more.end(), {"--perturb_init", "0.01"});
    REQUIRE(tiny.align(name, 2, more) == 0);
    CHECK(tiny.logged(name, "loss").size() == 2);
    CHECK(tiny.logged(name, "error_l").empty() == (name == "sft" || name == "dspo_e"));
    CHECK(tiny.weights(name) != read_file(tiny.dir / "base/unet/diffusion_pytorch_model.safetensors"));
  }
  REQUIRE(tiny.align("data_driven", 2,
                     {"--objective", "ddspo", "--policy", "data_driven", "--dd_max_train_steps", "3", "--use_lora",
                      "--lora_layers", "both"}) == 0);
  CHECK(fs::exists(tiny.dir / "data_driven/adapter/pytorch_lora_weights_kohya.safetensors"));
  CHECK(tiny.weights("data_driven") == read_file(tiny.dir / "base/unet/diffusion_pytorch_model.safetensors"));
  CHECK(tiny.logged("data_driven", "error_w").front() > 0);

  // DDSPO on the forward process is Diffusion-DPO.
  REQUIRE(tiny.align("forward", 2, {"--objective", "ddspo", "--set", "beta=100"}) == 0);
  REQUIRE(tiny.align("dpo", 2, {"--objective", "diffusion_dpo", "--set", "beta=100"}) == 0);
  CHECK(tiny.weights("forward") == tiny.weights("dpo"));
}

TEST_CASE("align pictures: what does not fit is refused before the folder is touched") {
  const Case tiny("DDPMPipeline");
  const auto refused = [&](const Arguments& more) {
    CHECK_THROWS_AS(tiny.align("no", 1, more), UsageError);
    CHECK_FALSE(fs::exists(tiny.dir / "no"));
  };
  refused({"--objective", "ddspo", "--policy", "training_free"});  // the network is told nothing
  refused({"--policy", "oracle"});
  refused({"--proportion_empty_prompts", "0.2"});
  refused({"--validation_data", (tiny.dir / "data").string()});
  refused({"--resolution", "15"});
  refused({"--mixed_precision", "fp16"});
  refused({"--train_batch_size", "9000000"});  // more than any machine's memory
  refused({"--cache_reference", "2", "--ref_update_steps", "3"});
  for (const char* objective : {"sft", "mapo", "dspo", "diffusion_kto"})
    refused({"--cache_reference", "2", "--objective", objective});
}
