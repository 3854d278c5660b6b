// Pictures from tiny random pipelines, as a user draws them: files, texts in them, seeds, previews, and bad input.

#include <doctest/doctest.h>

#include <fstream>
#include <limits>
#include <set>

#include "apps/common/exit_codes.h"
#include "apps/sample/sample.h"
#include "engine/io/png.h"
#include "engine/io/safetensors.h"
#include "nn/visitors.h"
#include "tests/diffusion/pipeline/tiny_pipeline.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// A folder with a model, and calls of the verb in it.
struct Studio {
  TempDir dir;

  explicit Studio(const Pipeline& pipeline) { save_pipeline(dir / "model", pipeline); }

  std::string path(const std::string& name) const { return (dir / name).string(); }

  void draw(const std::string& out, Arguments more, int64_t steps = 3) const {
    Arguments words{"--model", path("model"), "--num_inference_steps", std::to_string(steps), "--quiet",
                    "--out",   path(out)};
    words.insert(words.end(), more.begin(), more.end());
    run_sample(words);
  }

  PngFile picture(const std::string& name) const { return read_png(dir / name); }

  std::vector<Json> lines(const std::string& out) const {
    std::ifstream file(dir / (out + "/metadata.jsonl"));
    std::vector<Json> found;
    for (std::string line; std::getline(file, line);) found.push_back(Json::parse(line));
    return found;
  }

  void refused(Arguments more, const char* says) const {
    CAPTURE(says);
    CHECK_THROWS_WITH_AS(draw("bad", more), doctest::Contains(says), Error);
    CHECK_FALSE(std::filesystem::exists(dir / "bad"));
  }
};

Pipeline with_classes(int64_t classes) {
  Pipeline pipeline = tiny_pipeline("DDIMPipeline");
  Json config = pipeline.unet->config();
  config.set("num_class_embeds", classes).set("in_channels", 1).set("out_channels", 1);
  Generator generator(4);
  pipeline.unet = make_picture_denoiser(config, generator);
  perturb_all(pipeline);
  return pipeline;
}

}  // namespace

TEST_CASE("sample pictures: numbered files that carry their settings, a grid, tensors and previews") {
  const Studio studio(tiny_pipeline("DDPMPipeline"));
  studio.draw("a", {"--num_images", "3", "--seed", "5", "--grid", "--save_tensors", "--preview_steps", "2"});
  const PngFile second = studio.picture("a/00001.png");
  CHECK(second.image.width == 8);
  CHECK(second.image.height == 8);
  CHECK(std::set<uint8_t>(second.image.pixels.begin(), second.image.pixels.end()).size() > 10);
  const std::string& text = second.text.at("parameters");
  CAPTURE(text);
  CHECK(text.find("Steps: 3, Sampler: DDPM") != std::string::npos);
  CHECK(text.find("Seed: 6, Size: 8x8") != std::string::npos);
  const Json settings = Json::parse(second.text.at("plumb"));
  CHECK(settings.at("num_images").as_integer() == 3);
  CHECK(settings.at("picture").at("seed").as_integer() == 6);
  const PngFile grid = studio.picture("a/grid.png");
  CHECK(grid.image.width == 16);
  CHECK(grid.image.height == 16);
  CHECK(grid.text.contains("parameters"));
  CHECK(std::filesystem::exists(studio.dir / "a/previews/00002-00002.png"));
  REQUIRE(studio.lines("a").size() == 3);
  CHECK(studio.lines("a")[2].at("file_name").as_string() == "00002.png");
  const SafetensorsFile tensors(studio.dir / "a/samples.safetensors");
  CHECK(tensors.size() == 3);
  CHECK(tensors.tensor("00001").shape() == Shape{1, 3, 8, 8});
}

TEST_CASE("sample pictures: a picture is that of its seed alone, whatever is drawn with it and on how many threads") {
  const Studio studio(tiny_pipeline("DDPMPipeline"));
  for (const char* rng : {"plumb", "torch"}) {
    studio.draw("a", {"--num_images", "2", "--seed", "5", "--rng", rng});
    studio.draw("b", {"--seed", "6", "--threads", "1", "--rng", rng});
    CHECK(studio.picture("b/00000.png").image == studio.picture("a/00001.png").image);
    CHECK_FALSE(studio.picture("b/00000.png").image == studio.picture("a/00000.png").image);
  }
  run_sample({"--config", studio.path("a/config.toml"), "--threads", "3", "--out", studio.path("again"), "--quiet"});
  CHECK(studio.picture("again/00001.png").image == studio.picture("a/00001.png").image);
}

TEST_CASE("sample pictures: other samplers, another size, from a picture") {
  const Studio studio(tiny_pipeline("DDIMPipeline"));
  std::vector<Image> drawn;
  for (const char* sampler : {"auto", "ddim", "euler_ancestral", "heun", "dpmpp_2m_karras", "unipc"}) {
    studio.draw(sampler, {"--sampler", sampler, "--timestep_spacing", "trailing"});
    drawn.push_back(studio.picture(std::string(sampler) + "/00000.png").image);
    for (size_t i = 0; i + 1 < drawn.size(); ++i) CHECK_FALSE(drawn[i] == drawn.back());
  }
  studio.draw("from", {"--init_image", studio.path("auto/00000.png"), "--strength", "0.7", "--height", "12"});
  CHECK(studio.picture("from/00000.png").image.width == 8);
  CHECK(studio.picture("from/00000.png").image.height == 12);
  CHECK(studio.picture("from/00000.png").text.at("parameters").find("Denoising strength: 0.7") != std::string::npos);
}

TEST_CASE("sample pictures: classes, in turn or one, with guidance") {
  const Studio studio(with_classes(3));
  studio.draw("all", {"--num_images", "4"});
  std::vector<int64_t> labels;
  for (const Json& line : studio.lines("all")) labels.push_back(line.at("class").as_integer());
  CHECK(labels == std::vector<int64_t>{0, 1, 2, 0});
  CHECK(studio.picture("all/00000.png").image.channels == 1);
  studio.draw("one", {"--class", "1", "--seed", "1"});
  CHECK(studio.picture("one/00000.png").image == studio.picture("all/00001.png").image);
  studio.draw("guided", {"--class", "1", "--seed", "1", "--guidance_scale", "5", "--negative_class", "0",
                         "--guidance_rescale", "0.7", "--batch_size", "2"});
  CHECK_FALSE(studio.picture("guided/00000.png").image == studio.picture("one/00000.png").image);
  studio.refused({"--class", "3"}, "[0, 3)");
  studio.refused({"--guidance_scale", "2"}, "--negative_class");
  studio.refused({"--guidance_scale", "2", "--negative_class", "3"}, "3 classes");
}

TEST_CASE("sample pictures: latents are decoded, in tiles too; previews are cheap or decoded") {
  const Studio studio(tiny_pipeline("LDMPipeline"));
  studio.draw("a", {"--preview_steps", "1", "--save_tensors"});
  CHECK(studio.picture("a/00000.png").image.width == 16);
  CHECK(studio.picture("a/previews/00000-00001.png").image.width == 8);
  studio.draw("b", {"--preview_steps", "2", "--preview_vae", "--vae_tiling"});
  CHECK(studio.picture("b/previews/00000-00002.png").image.width == 16);
  studio.draw("c", {"--init_image", studio.path("a/00000.png"), "--strength", "0.7", "--rng", "torch"});
  CHECK_FALSE(studio.picture("c/00000.png").image == studio.picture("a/00000.png").image);
  studio.refused({"--width", "18"}, "multiple of 4");
}

TEST_CASE("sample pictures: prompts, alone and from a file, with what is not wanted") {
  for (const char* name : {"StableDiffusionPipeline", "StableDiffusionXLPipeline"}) {
    CAPTURE(name);
    Pipeline pipeline = tiny_pipeline(name);
    set_model_max_length(pipeline, 7);
    const Studio studio(pipeline);
    const Arguments euler{"--sampler", "euler", "--guidance_scale", "7"};
    const auto draw = [&](const std::string& out, Arguments more) {
      more.insert(more.end(), euler.begin(), euler.end());
      studio.draw(out, more, 2);
      return studio.picture(out + "/00000.png");
    };
    const PngFile first = draw("a", {"--prompt", "ab, a", "--prompt", "ba", "--grid"});
    CHECK(first.image.width == 16);
    CHECK(first.text.at("parameters").starts_with("ab, a\nSteps: 2, Sampler: Euler, CFG scale: 7, Seed: 0, "));
    const PngFile other = draw("b", {"--prompt", "ba", "--seed", "1"});
    CHECK(other.image == studio.picture("a/00001.png").image);
    CHECK_FALSE(draw("c", {"--prompt", "b", "--seed", "1"}).image == other.image);
    const PngFile away = draw("d", {"--prompt", "ba", "--seed", "1", "--negative_prompt", "b", "--clip_skip", "1"});
    CHECK_FALSE(away.image == other.image);
    CHECK(away.text.at("parameters").starts_with("ba\nNegative prompt: b\nSteps: 2"));
    std::ofstream(studio.dir / "prompts.txt") << "ba --d 1\n# no\nab --n b --w 24 --h 16 --s 1 --l 1\n";
    CHECK(draw("e", {"--prompts", studio.path("prompts.txt")}).image == other.image);
    CHECK(studio.picture("e/00001.png").image.width == 24);
    CHECK(studio.lines("e")[1].at("num_inference_steps").as_integer() == 1);
    run_sample({"--config", studio.path("a/config.toml"), "--out", studio.path("again"), "--quiet"});
    CHECK(studio.picture("again/00001.png").image == other.image);  // prompts keep their commas in a file too
    CHECK(studio.lines("again")[0].at("text").as_string() == "ab, a");
    studio.refused({}, "--prompt");
    studio.refused({"--prompts", studio.path("prompts.md")}, "prompts.md");
  }
}

TEST_CASE("sample pictures: a single file draws what its folder draws") {
  Pipeline pipeline = tiny_pipeline("StableDiffusionPipeline");
  set_model_max_length(pipeline, 7);
  const Studio studio(pipeline);
  save_single_file(studio.dir / "one.safetensors", pipeline);
  const Arguments words{"--prompt", "ab", "--sampler", "euler", "--height", "16", "--width", "16"};
  studio.draw("a", words);
  Arguments single{"--model", studio.path("one.safetensors"), "--tokenizer", studio.path("model/tokenizer")};
  single.insert(single.end(), {"--num_inference_steps", "3", "--quiet", "--out", studio.path("b")});
  single.insert(single.end(), words.begin(), words.end());
  run_sample(single);
  CHECK(studio.picture("a/00000.png").image == studio.picture("b/00000.png").image);
}

TEST_CASE("sample pictures: what cannot be drawn is refused before anything is written") {
  const Studio studio(tiny_pipeline("DDPMPipeline"));
  studio.refused({"--prompt", "a cat"}, "without a text encoder");
  studio.refused({"--prompts", "nowhere.txt"}, "without a text encoder");
  studio.refused({"--height", "15"}, "multiple of 2");
  studio.refused({"--class", "1"}, "without classes");
  studio.refused({"--guidance_scale", "3"}, "--negative_class");
  studio.refused({"--sampler", "eulr"}, "euler");
  studio.refused({"--init_image", studio.path("nowhere.png")}, "nowhere.png");
  studio.refused({"--num_samples", "5"}, "--num_images");
  studio.refused({"--num_inference_steps", "2000"}, "[1, 1000]");
  studio.refused({"--mixed_precision", "bf16"}, "CUDA");
  studio.refused({"--variant", "fp16"}, "fp16");
  studio.draw("a", {});
  studio.refused({"--init_image", studio.path("a/00000.png"), "--strength", "0"}, "--strength");
  studio.refused({"--init_image", studio.path("a/00000.png"), "--strength", "0.1"}, "leaves none");
}

TEST_CASE("sample pictures: numbers that are not finite stop the run") {
  Pipeline pipeline = tiny_pipeline("DDPMPipeline");
  const Parameter& last = *parameters(*pipeline.unet).back().parameter;
  Tensor broken = last.value().clone();
  broken.mutable_data<float>()[0] = std::numeric_limits<float>::quiet_NaN();
  parameters(*pipeline.unet).back().parameter->assign(broken);
  const Studio studio(pipeline);
  CHECK_THROWS_WITH_AS(studio.draw("nan", {}), doctest::Contains("not finite"), UnhealthyError);
  CHECK_FALSE(std::filesystem::exists(studio.dir / "nan/00000.png"));
}
