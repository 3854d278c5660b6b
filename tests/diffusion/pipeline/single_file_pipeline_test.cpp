#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>

#include "diffusion/pipeline/pipeline.h"
#include "engine/error.h"
#include "nn/pretrained/single_file.h"
#include "nn/state_file.h"
#include "tests/diffusion/pipeline/tiny_pipeline.h"
#include "tests/support/numeric.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using plumb::test::bits_of;
using plumb::test::kMerges;
using plumb::test::kVocabulary;
using plumb::test::message_of;
using plumb::test::TempDir;
using plumb::test::tiny_pipeline;

namespace {

namespace fs = std::filesystem;

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

void check_same_weights(const Pipeline& got, const Pipeline& expected) {
  const auto ours = modules_of(got), theirs = modules_of(expected);
  REQUIRE(ours.size() == theirs.size());
  for (size_t i = 0; i < ours.size(); ++i) {
    CAPTURE(ours[i].name);
    const StateDict a = state_dict(*ours[i].module), b = state_dict(*theirs[i].module);
    REQUIRE(a.size() == b.size());
    bool same = true;
    for (size_t k = 0; k < a.size(); ++k)
      same = same && a[k].name == b[k].name && bits_of(a[k].tensor) == bits_of(b[k].tensor);
    CHECK(same);
  }
}

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

}  // namespace

TEST_CASE("single file: a pipeline is written and read back, and written again bit for bit") {
  for (const char* name : {"StableDiffusionPipeline", "StableDiffusionXLPipeline"}) {
    CAPTURE(name);
    const TempDir dir;
    const Pipeline pipeline = tiny_pipeline(name);
    save_single_file(dir / "a.safetensors", pipeline);
    const Pipeline loaded = load_pipeline(dir / "a.safetensors");
    CHECK(loaded.class_name == name);
    check_same_weights(loaded, pipeline);
    save_pipeline(dir / "folder", [&] {
      Pipeline copy = load_pipeline(dir / "a.safetensors", {.as_stored = true});
      copy.tokenizer_files = pipeline.tokenizer_files;
      return copy;
    }());
    save_single_file(dir / "b.safetensors", load_pipeline(dir / "folder", {.as_stored = true}));
    CHECK(read_file(dir / "a.safetensors") == read_file(dir / "b.safetensors"));
  }
}

TEST_CASE("single file: 16-bit weights keep their bits on the way to a folder and back") {
  const TempDir dir;
  save_single_file(dir / "f32.safetensors", tiny_pipeline("StableDiffusionPipeline"));
  StateDict half = load_state(dir / "f32.safetensors");
  for (size_t i = 0; i < half.size(); ++i) half[i].tensor = half[i].tensor.to(i % 3 == 0 ? DType::f32 : DType::f16);
  save_state(dir / "mixed.safetensors", half);
  Pipeline pipeline = load_pipeline(dir / "mixed.safetensors", {.as_stored = true});
  save_pipeline(dir / "folder", pipeline);
  save_single_file(dir / "back.safetensors", pipeline);
  const StateDict back = load_state(dir / "back.safetensors");
  REQUIRE(back.size() == half.size());
  for (size_t i = 0; i < back.size(); ++i) {
    CAPTURE(back[i].name);
    CHECK(back[i].tensor.dtype() == half[i].tensor.dtype());
    CHECK(bits_of(back[i].tensor) == bits_of(half[i].tensor));
  }
  CHECK(load_pipeline(dir / "mixed.safetensors").unet->dtype() == DType::f32);
}

TEST_CASE("single file: published schedules, notes, and what cannot be known") {
  const TempDir dir;
  const fs::path first = dir / "1.safetensors", large = dir / "xl.safetensors";
  save_single_file(first, tiny_pipeline("StableDiffusionPipeline"));
  save_single_file(large, tiny_pipeline("StableDiffusionXLPipeline"));
  const Pipeline sd = load_pipeline(first);
  CHECK(sd.scheduler.class_name == "PNDMScheduler");
  CHECK(sd.scheduler.skip_prk_steps);
  CHECK(sd.scheduler.steps_offset == 1);
  CHECK_FALSE(sd.scheduler.set_alpha_to_one);
  REQUIRE(sd.notes.size() == 2);
  CHECK(has(sd.notes[0], "--tokenizer FOLDER"));
  CHECK(has(sd.notes[1], "epsilon is assumed"));
  CHECK(load_pipeline(large).scheduler.class_name == "EulerDiscreteScheduler");
  const Pipeline told = load_pipeline(first, {.prediction = Prediction::v_prediction});
  CHECK(told.scheduler.prediction_type == Prediction::v_prediction);
  CHECK(told.notes.size() == 1);

  StateDict state = load_state(first);
  std::erase_if(state, [](const NamedTensor& named) { return named.name.starts_with("first_stage_model."); });
  state.push_back({"alphas_cumprod", zeros({5})});
  save_state(first, state);
  const Pipeline without = load_pipeline(first);
  CHECK_FALSE(without.vae);
  CHECK(has(without.notes[2], "holds no vae"));
  CHECK(has(without.notes[3], "1 tensors are not part of the model (alphas_cumprod)"));
}

TEST_CASE("single file: tokenizers come from a folder") {
  const TempDir dir;
  const fs::path file = dir / "xl.safetensors";
  save_single_file(file, tiny_pipeline("StableDiffusionXLPipeline"));
  CHECK_THROWS_AS(load_pipeline(file, {.tokenizer = dir / "nothing"}), IoError);
  write(dir / "plain" / "vocab.json", kVocabulary);
  write(dir / "plain" / "merges.txt", kMerges);
  const Pipeline plain = load_pipeline(file, {.tokenizer = dir / "plain"});
  CHECK(plain.tokenizer_files.at("tokenizer_2/merges.txt") == kMerges);
  CHECK(plain.tokenizer->pad() == 29);
  CHECK(plain.tokenizer_2->pad() == 0);
  CHECK(plain.tokenizer_2->encode("ab", 4) == std::vector<int64_t>{28, 5, 29, 0});
  for (const char* name : {"tokenizer", "tokenizer_2"}) {
    write(dir / "model" / name / "vocab.json", kVocabulary);
    write(dir / "model" / name / "merges.txt", kMerges);
    write(dir / "model" / name / "special_tokens_map.json", R"({"pad_token": "b"})");
  }
  const Pipeline nested = load_pipeline(file, {.tokenizer = dir / "model"});
  CHECK(nested.tokenizer_2->pad() == 2);
  CHECK(nested.tokenizer_files.size() == 6);
}

TEST_CASE("single file: what names and shapes do not tell is carried along, and said") {
  const TempDir dir;
  const fs::path path = dir / "a.safetensors";
  CHECK(has(message_of([&] { save_single_file(path, tiny_pipeline("DDPMPipeline")); }), "has no such form"));
  CHECK(save_single_file(path, tiny_pipeline("StableDiffusionPipeline")).empty());
  CHECK(carried_configs(path).count("unet") == 0);

  Pipeline pipeline = tiny_pipeline("StableDiffusionPipeline");
  UNet2DConditionOptions options = plumb::test::tiny_condition_unet(false);
  options.attention_head_dim = 4;
  options.norm_num_groups = 4;
  Generator generator(1);
  pipeline.unet = make_picture_denoiser(config_of(options), generator);
  pipeline.scheduler.prediction_type = Prediction::v_prediction;
  const std::vector<std::string> notes = save_single_file(path, pipeline);
  CHECK(std::count(notes.begin(), notes.end(), "other programs take attention_head_dim of the unet to be 8 (4)") == 1);
  CHECK(has(notes.back(), "v_prediction"));
  const Pipeline back = load_pipeline(path);
  CHECK(back.unet->config() == pipeline.unet->config());
  CHECK(prediction_of(back.scheduler) == Prediction::v_prediction);
  CHECK(prediction_of(load_pipeline(path, {.prediction = Prediction::sample}).scheduler) == Prediction::sample);
  check_same_weights(back, pipeline);

  StateDict file = load_state(path);
  save_state(path, file, {{"plumb.config.unet", "{\"block_out"}});
  CHECK(has(message_of([&] { load_pipeline(path); }), "a.safetensors: plumb.config.unet"));
  save_state(path, file, {{"plumb.config.unet", "{\"_class_name\": \"UNet2DConditionModel\"}"}});
  CHECK(has(message_of([&] { load_pipeline(path); }), "names and shapes must match"));
}

TEST_CASE("single file: a file that was cut is named") {
  const TempDir dir;
  const fs::path path = dir / "a.safetensors";
  save_single_file(path, tiny_pipeline("StableDiffusionPipeline"));
  fs::resize_file(path, fs::file_size(path) - 1);
  CHECK(has(message_of([&] { load_pipeline(path); }), "a.safetensors"));
}
