// Pairs from tiny random text pipelines, as a user makes them: what is drawn, going on, and bad input.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>

#include "align/data/preference_dataset.h"
#include "align/worlds/shapes/caption.h"
#include "apps/common/exit_codes.h"
#include "apps/pairs/pairs.h"
#include "apps/pairs/plan_pairs.h"
#include "apps/sample/sample.h"
#include "engine/io/file.h"
#include "engine/io/png.h"
#include "engine/ops.h"
#include "tests/diffusion/pipeline/tiny_pipeline.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using namespace plumb::test;

namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

Pipeline text_pipeline(const std::string& name = "StableDiffusionPipeline") {
  Pipeline pipeline = tiny_pipeline(name);
  set_model_max_length(pipeline, 7);
  return pipeline;
}

/// A folder with a model and prompts, and calls of the verb in it.
struct Studio {
  TempDir dir;

  explicit Studio(const Pipeline& pipeline) {
    save_pipeline(dir / "model", pipeline);
    write_file_atomic(dir / "prompts.txt", "ab a b\nb ab\na\nb b a ab a\n");
  }

  std::string path(const std::string& name) const { return (dir / name).string(); }

  int make(const std::string& out, const Arguments& more = {}) const {
    Arguments words{"--model", path("model"), "--quiet", "--out", path(out)};
    const auto add = [&](const char* flag, const std::string& value) {
      if (std::find(more.begin(), more.end(), flag) == more.end()) words.insert(words.end(), {flag, value});
    };
    add("--prompts", path("prompts.txt"));
    add("--num_inference_steps", "2");
    add("--sampler", "ddim");
    add("--batch_size", "2");
    words.insert(words.end(), more.begin(), more.end());
    return run_pairs(words);
  }

  /// The picture that `plumb sample` draws.
  Image sampled(const std::string& prompt, int64_t seed, const char* guidance, const char* sampler) const {
    run_sample({"--model", path("model"), "--quiet", "--out", path("sample"), "--prompt", prompt, "--seed",
                std::to_string(seed), "--guidance_scale", guidance, "--sampler", sampler, "--num_inference_steps",
                "2"});
    return read_png(dir / "sample/00000.png").image;
  }

  PreferenceDataset read(const std::string& out) const { return read_preference_dataset(path(out)); }

  void refused(const Arguments& more, const char* says) const {
    CAPTURE(says);
    CHECK_THROWS_WITH_AS(make("bad", more), doctest::Contains(says), Error);
    CHECK_FALSE(fs::exists(dir / "bad"));
  }
};

/// Equal but for the last bits, which a batch may change.
bool alike(const Image& a, const Image& b) {
  if (a.pixels.size() != b.pixels.size()) return false;
  for (size_t i = 0; i < a.pixels.size(); ++i)
    if (std::abs(int(a.pixels[i]) - int(b.pixels[i])) > 1) return false;
  return true;
}

}  // namespace

TEST_CASE("picture pairs: winner and loser are what sample draws with c and with c- from one seed") {
  for (const char* name : {"StableDiffusionPipeline", "StableDiffusionXLPipeline"}) {
    CAPTURE(name);
    const Studio studio(text_pipeline(name));
    for (const char* sampler : {"ddim", "euler_ancestral"}) {
      CAPTURE(sampler);
      const std::string out = sampler;
      CHECK(studio.make(out, {"--sampler", sampler, "--guidance_scale", "3", "--seed", "7"}) == kExitDone);
      const PreferenceDataset dataset = studio.read(out);
      REQUIRE(dataset.samples.size() == 3);  // one of the prompts has a single word
      CHECK(dataset.layout == "plumb pairs");
      CHECK(dataset.samples[2].prompt == "b b a ab a");
      for (size_t i : {0, 2}) {
        const PreferenceSample& pair = dataset.samples[i];
        REQUIRE_FALSE(pair.negatives.empty());
        const Image winner = read_picture(pair.winner), loser = read_picture(pair.loser);
        CHECK(alike(winner, studio.sampled(pair.prompt, 7 + int64_t(i), "3", sampler)));
        CHECK(alike(loser, studio.sampled(pair.negatives.front(), 7 + int64_t(i), "3", sampler)));
        CHECK_FALSE(alike(winner, loser));
      }
    }
    const Image sheet = read_png(studio.dir / "ddim/pairs.png").image;
    CHECK(sheet.width == 3 * 16 + 2);
    CHECK(sheet.height == 2 * 16 + 1);
  }
}

TEST_CASE("picture pairs: c- that is c gives the winner again, in every step of a stochastic sampler") {
  const Studio studio(text_pipeline());
  write_file_atomic(studio.dir / "same.jsonl",
                    "{\"prompt\": \"b ab\", \"neg_prompts\": [\"b ab\"]}\n"
                    "{\"prompt\": \"a\", \"neg_prompts\": [\"a\"]}\n");
  studio.make("a", {"--perturbation", "file:" + studio.path("same.jsonl"), "--sampler", "euler_ancestral"});
  const PreferenceDataset dataset = studio.read("a");
  CHECK(dataset.samples.size() == 2);
  for (const PreferenceSample& pair : dataset.samples) {
    CHECK(pair.negatives == Strings{pair.prompt});
    CHECK(alike(read_picture(pair.winner), read_picture(pair.loser)));
  }
  CHECK_FALSE(alike(read_picture(dataset.samples[0].winner), read_picture(dataset.samples[1].winner)));
}

TEST_CASE("picture pairs: latents are what the pictures are decoded from; winners alone") {
  const Studio studio(text_pipeline());
  studio.make("pictures");
  studio.make("latents", {"--save_latents"});
  const PreferenceDataset pictures = studio.read("pictures"), latents = studio.read("latents");
  CHECK(latents.latents);
  CHECK(read_latents(latents.samples[0].winner).shape() == Shape{4, 8, 8});
  CHECK(latents.samples[1].negatives == pictures.samples[1].negatives);
  CHECK(read_png(studio.dir / "latents/pairs.png").image == read_png(studio.dir / "pictures/pairs.png").image);

  studio.make("alone", {"--losers", "none", "--perturbation", "none", "--num_pairs", "5"});
  const PreferenceDataset alone = studio.read("alone");
  CHECK(alone.samples.size() == 5);  // prompts begin again
  CHECK(alone.samples[4].prompt == "ab a b");
  CHECK(alone.samples[2].prompt == "a");
  CHECK_FALSE(alone.has_losers());
  CHECK_FALSE(alone.has_negatives());
  CHECK_FALSE(fs::exists(studio.dir / "alone/losers"));
  studio.make("kept", {"--losers", "none"});
  CHECK(studio.read("kept").has_negatives());
  CHECK_FALSE(studio.read("kept").has_losers());
}

TEST_CASE("picture pairs: a run goes on where it was, and can be made longer") {
  const Studio studio(text_pipeline());
  studio.make("whole", {"--num_pairs", "7"});
  studio.make("a", {"--num_pairs", "5", "--threads", "1"});
  const auto bytes = [&](const std::string& out) {
    std::string all = read_file(studio.dir / (out + "/metadata.jsonl"));
    const PreferenceDataset dataset = studio.read(out);
    for (const PreferenceSample& pair : dataset.samples)
      all += read_file(pair.winner.file) + read_file(pair.loser.file);
    return all;
  };
  const std::string five = bytes("a");
  fs::remove(studio.dir / "a/metadata.jsonl");
  fs::remove(studio.dir / "a/winners/000003.png");
  std::ofstream(studio.dir / "a/losers/000000.png", std::ios::trunc);  // as a power cut leaves it
  const auto untouched = fs::last_write_time(studio.dir / "a/losers/000004.png");
  studio.make("a", {"--num_pairs", "5"});
  CHECK(bytes("a") == five);
  CHECK(fs::last_write_time(studio.dir / "a/losers/000004.png") == untouched);
  studio.make("a", {"--num_pairs", "7"});
  CHECK(bytes("a") == bytes("whole"));

  const std::string before = bytes("a");
  const auto other = [&](const Arguments& more, const char* says) {
    CAPTURE(says);
    CHECK_THROWS_WITH_AS(studio.make("a", more), doctest::Contains(says), UsageError);
    CHECK(bytes("a") == before);
  };
  other({"--seed", "1"}, "made with seed 0 (this run: 1)");
  other({"--guidance_scale", "2"}, "guidance_scale 7.5");
  other({"--save_latents"}, "save_latents false");
  write_file_atomic(studio.dir / "other.txt", "ab a b\nb ab\nb b a ab\n");
  other({"--prompts", studio.path("other.txt")}, "prompts_sha256");
  save_pipeline(studio.dir / "model", [] {
    Pipeline pipeline = text_pipeline();
    Tensor moved = parameters(*pipeline.unet).front().parameter->value().clone();
    moved.mutable_data<float>()[0] += 1;
    parameters(*pipeline.unet).front().parameter->assign(moved);
    return pipeline;
  }());
  other({}, "model_sha256");
  fs::create_directories(studio.dir / "data");
  write_file_atomic(studio.dir / "data/metadata.jsonl", "{}\n");
  CHECK_THROWS_WITH_AS(studio.make("data"), doctest::Contains("another data set"), UsageError);
}

TEST_CASE("picture pairs: the run's own configuration repeats it") {
  const Studio studio(text_pipeline());
  studio.make("a", {"--timestep_spacing", "trailing"});
  run_pairs({"--config", studio.path("a/config.toml"), "--out", studio.path("again"), "--quiet", "--threads", "2"});
  CHECK(hash_of(studio.read("again")) == hash_of(studio.read("a")));
  studio.make("b");
  run_pairs({"--config", studio.path("b/config.toml"), "--out", studio.path("b again"), "--quiet"});
  CHECK(hash_of(studio.read("b again")) == hash_of(studio.read("b")));
  CHECK(hash_of(studio.read("b")) != hash_of(studio.read("a")));
}

TEST_CASE("picture pairs: the plan of a pair depends on its number alone") {
  TempDir dir;
  write_file_atomic(dir / "p.txt", "one two three four\nsingle\nfive six seven eight\n");
  PairsSettings settings;
  settings.prompts = (dir / "p.txt").string();
  settings.num_pairs = 600;
  settings.global.seed = 3;
  const PlannedPairs plan = plan_pairs(settings);
  CHECK(plan.left_out == 1);
  REQUIRE(plan.pairs.size() == 600);
  CHECK(plan.pairs[4].id == "000004");
  CHECK(plan.pairs[4].prompt == "one two three four");
  CHECK(plan.pairs[4].seed == 7);
  CHECK(plan.pairs[5].prompt == "five six seven eight");
  // Every version is drawn about as often, and none is lost or doubled.
  Strings versions = plan.pairs[0].negatives;
  std::sort(versions.begin(), versions.end());
  REQUIRE(versions.size() == 5);
  std::map<std::string, int> counts;
  for (size_t i = 0; i < 600; i += 2) {
    Strings here = plan.pairs[i].negatives;
    ++counts[here.front()];
    std::sort(here.begin(), here.end());
    CHECK(here == versions);
  }
  for (const std::string& text : versions) CHECK(std::abs(counts[text] - 60) < 35);
  settings.num_pairs = {};
  const PlannedPairs fewer = plan_pairs(settings);
  REQUIRE(fewer.pairs.size() == 2);
  CHECK(fewer.pairs[1].negatives == plan.pairs[1].negatives);
  CHECK(fewer.prompts_hash == plan.prompts_hash);
}

TEST_CASE("picture pairs: captions of shapes are rewritten") {
  TempDir dir;
  write_file_atomic(dir / "p.jsonl",
                    "{\"prompt\": \"a picture of a red circle and a blue square\"}\n{\"prompt\": \"a green cross\"}\n");
  PairsSettings settings;
  settings.prompts = (dir / "p.jsonl").string();
  for (const char* how : {"swap", "quality"}) {
    CAPTURE(how);
    settings.perturbation = how;
    const PlannedPairs plan = plan_pairs(settings);
    REQUIRE(plan.pairs.size() == 2);
    for (const PlannedPair& pair : plan.pairs) {
      REQUIRE_FALSE(pair.negatives.empty());
      for (const std::string& text : pair.negatives) {
        CHECK(shapes::parse_caption(text).has_value());
        CHECK(text != pair.prompt);
        const auto words = [](const std::string& all) { return std::count(all.begin(), all.end(), ' '); };
        CHECK((how == std::string("swap")) == (words(text) == words(pair.prompt)));
      }
    }
  }
  write_file_atomic(dir / "p.jsonl", "{\"prompt\": \"seven dwarfs\"}\n");
  CHECK_THROWS_WITH_AS(plan_pairs(settings), doctest::Contains("seven dwarfs"), ValueError);
}

TEST_CASE("picture pairs: what cannot be made is refused before anything is written") {
  const Studio studio(text_pipeline());
  write_file_atomic(studio.dir / "single.txt", "a\nb\n");
  write_file_atomic(studio.dir / "options.txt", "ab a --d 3\n");
  write_file_atomic(studio.dir / "rewrites.jsonl", "{\"prompt\": \"zz\", \"neg_prompts\": [\"z\"]}\n");
  studio.refused({"--prompts", ""}, "give --prompts");
  studio.refused({"--prompts", studio.path("none.txt")}, "none.txt");
  studio.refused({"--prompts", studio.path("single.txt")}, "none of 2 prompts has a degraded version");
  studio.refused({"--prompts", studio.path("options.txt")}, "must hold a prompt alone");
  studio.refused({"--perturbation", "file:" + studio.path("rewrites.jsonl")}, "none of 4 prompts");
  studio.refused({"--perturbation", "file:" + studio.path("none.jsonl")}, "none.jsonl");
  studio.refused({"--perturbation", "file:"}, "--perturbation must be");
  studio.refused({"--perturbation", "remove"}, "--perturbation must be");
  studio.refused({"--perturbation", "none"}, "--losers none");
  studio.refused({"--num_inference_steps", "2000"}, "[1, 1000]");
  studio.refused({"--width", "15"}, "multiple of 2");
  studio.refused({"--pairs_per_class", "3"}, "for points");
  studio.refused({"--mixed_precision", "bf16"}, "CUDA");
  const Studio pixels(tiny_pipeline("DDPMPipeline"));
  pixels.refused({}, "no text encoder");
  CHECK_THROWS_WITH_AS(run_pairs({"--prompts", "x", "--out", studio.path("bad")}),
                       doctest::Contains("for models of pictures"), UsageError);
  CHECK_FALSE(fs::exists(studio.dir / "bad"));
}

TEST_CASE("picture pairs: numbers that are not finite stop the run, and nothing is kept of them") {
  Pipeline pipeline = text_pipeline();
  const Parameter& last = *parameters(*pipeline.unet).back().parameter;
  Tensor broken = last.value().clone();
  broken.mutable_data<float>()[0] = std::numeric_limits<float>::quiet_NaN();
  parameters(*pipeline.unet).back().parameter->assign(broken);
  const Studio studio(pipeline);
  for (const Arguments& more : {Arguments{}, Arguments{"--save_latents"}}) {
    const std::string out = more.empty() ? "a" : "b";
    CHECK_THROWS_WITH_AS(studio.make(out, more), doctest::Contains("not finite"), UnhealthyError);
    CHECK(fs::is_empty(studio.dir / (out + "/winners")));
    CHECK_FALSE(fs::exists(studio.dir / (out + "/metadata.jsonl")));
  }
}
