#include "diffusion/pipeline/pipeline.h"

#include <doctest/doctest.h>

#include <fstream>

#include "engine/error.h"
#include "engine/io/directory.h"
#include "nn/state_file.h"
#include "tests/diffusion/pipeline/tiny_pipeline.h"
#include "tests/support/numeric.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using plumb::test::bits_of;
using plumb::test::message_of;
using plumb::test::random_tensor;
using plumb::test::TempDir;
using plumb::test::tiny_pipeline;

namespace {

namespace fs = std::filesystem;

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

void check_same(const Pipeline& got, const Pipeline& expected) {
  CHECK(got.class_name == expected.class_name);
  CHECK(got.tokenizer_files == expected.tokenizer_files);
  CHECK(got.force_zeros_for_empty_prompt == expected.force_zeros_for_empty_prompt);
  Json scheduler = to_json(got.scheduler);
  scheduler.erase("_diffusers_version");
  CHECK(scheduler == to_json(expected.scheduler));
  CHECK(got.unet->config() == expected.unet->config());
  const auto ours = modules_of(got), theirs = modules_of(expected);
  REQUIRE(ours.size() == theirs.size());
  for (size_t i = 0; i < ours.size(); ++i) {
    CAPTURE(ours[i].name);
    CHECK(ours[i].name == theirs[i].name);
    const StateDict a = state_dict(*ours[i].module), b = state_dict(*theirs[i].module);
    REQUIRE(a.size() == b.size());
    bool same = true;
    for (size_t k = 0; k < a.size(); ++k)
      same = same && a[k].name == b[k].name && bits_of(a[k].tensor) == bits_of(b[k].tensor);
    CHECK(same);
  }
}

void rewrite(const fs::path& path, const std::function<void(Json&)>& change) {
  Json json = Json::parse(read_file(path), path.string());
  change(json);
  std::ofstream(path) << json.dump(2);
}

void set(const fs::path& path, const char* key, Json value) {
  rewrite(path, [&](Json& json) { json.set(key, std::move(value)); });
}

std::string load_message(const fs::path& folder) {
  return message_of([&] { load_pipeline(folder); });
}

}  // namespace

TEST_CASE("pipeline: every class is written and read back") {
  for (const char* name :
       {"DDPMPipeline", "DDIMPipeline", "LDMPipeline", "TextToPixelsPipeline", "StableDiffusionPipeline",
        "StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline"}) {
    CAPTURE(name);
    const TempDir dir;
    const Pipeline pipeline = tiny_pipeline(name);
    save_pipeline(dir / "model", pipeline);
    verify_directory(dir / "model");
    const Pipeline loaded = load_pipeline(dir / "model");
    check_same(loaded, pipeline);
    CHECK(loaded.notes.empty());
    CHECK(loaded.tokenizer.has_value() == bool(pipeline.text_encoder));
    CHECK(loaded.tokenizer_2.has_value() == bool(pipeline.text_encoder_2));
    if (pipeline.class_name != "LDMPipeline") continue;
    save_pipeline(dir / "model", loaded);  // over the files its weights lie in
    check_same(load_pipeline(dir / "model"), pipeline);
  }
}

TEST_CASE("pipeline: a loaded network predicts the same bits") {
  const TempDir dir;
  const Pipeline pipeline = tiny_pipeline("StableDiffusionPipeline");
  save_pipeline(dir / "model", pipeline);
  const Pipeline loaded = load_pipeline(dir / "model");
  const Variable x(random_tensor({2, 4, 8, 8}, 1, DType::f32));
  const Condition condition{.labels = {}, .context = random_tensor({2, 5, 64}, 2, DType::f32)};
  const Tensor t = full({2}, 7);
  CHECK(bits_of(loaded.unet->predict(x, t, condition).value()) ==
        bits_of(pipeline.unet->predict(x, t, condition).value()));
}

TEST_CASE("pipeline: configurations alone, and other types") {
  const TempDir dir;
  save_pipeline(dir / "model", tiny_pipeline("StableDiffusionXLPipeline"));
  const Pipeline shapes = load_pipeline(dir / "model", {.weights = false});
  for (const PipelineModule& each : modules_of(shapes)) CHECK(count(parameters(*each.module)) > 1000);
  CHECK_THROWS_AS(state_dict(*shapes.unet), Error);
  CHECK_THROWS_AS(save_pipeline(dir / "other", shapes), Error);
  CHECK(dir.entries() == 1);
  const Pipeline half = load_pipeline(dir / "model", {.dtype = DType::bf16});
  CHECK(half.unet->dtype() == DType::bf16);
  CHECK(half.text_encoder_2->dtype() == DType::bf16);
}

TEST_CASE("pipeline: index that diffusers reads") {
  const TempDir dir;
  save_pipeline(dir / "sd", tiny_pipeline("StableDiffusionPipeline"));
  const Json index = Json::parse(read_file(dir / "sd" / "model_index.json"));
  CHECK(index.at("_class_name").as_string() == "StableDiffusionPipeline");
  CHECK(index.find("_diffusers_version"));
  CHECK(index.at("safety_checker").dump() == "[null, null]");
  CHECK(index.at("feature_extractor").dump() == "[null, null]");
  CHECK_FALSE(index.at("requires_safety_checker").as_bool());
  CHECK(index.at("unet").dump() == R"(["diffusers", "UNet2DConditionModel"])");
  CHECK(index.at("text_encoder").dump() == R"(["transformers", "CLIPTextModel"])");
  CHECK(index.at("tokenizer").dump() == R"(["transformers", "CLIPTokenizer"])");
  CHECK(index.at("scheduler").dump() == R"(["diffusers", "PNDMScheduler"])");
  for (const char* file : {"unet/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.safetensors",
                           "text_encoder/model.safetensors"})
    CHECK(SafetensorsFile(dir / "sd" / file).header().metadata() == Metadata{{"format", "pt"}});
}

TEST_CASE("pipeline: what the class needs and is not there is refused before anything is written") {
  const TempDir dir;
  Pipeline pipeline = tiny_pipeline("StableDiffusionPipeline");
  pipeline.text_encoder.reset();
  CHECK_THROWS_WITH_AS(save_pipeline(dir / "model", pipeline),
                       "save pipeline: a StableDiffusionPipeline needs a text_encoder", ValueError);
  pipeline.class_name = "FluxPipeline";
  CHECK_THROWS_AS(save_pipeline(dir / "model", pipeline), ValueError);
  pipeline.class_name = "DDPMPipeline", pipeline.unet.reset();
  CHECK_THROWS_AS(save_pipeline(dir / "model", pipeline), ValueError);
  CHECK(dir.entries() == 0);
}

TEST_CASE("pipeline: broken folders name file and component") {
  const TempDir dir;
  const fs::path folder = dir / "model", index = folder / "model_index.json";
  save_pipeline(folder, tiny_pipeline("StableDiffusionPipeline"));
  const auto message = [&] { return load_message(folder); };
  SUBCASE("no folder") { CHECK_THROWS_AS(load_pipeline(dir / "nothing"), IoError); }
  SUBCASE("no index") {
    fs::remove(index);
    CHECK(has(message(), "model_index.json"));
  }
  SUBCASE("unknown class") {
    set(index, "_class_name", "FluxPipeline");
    CHECK(has(message(), "_class_name must be one of DDPMPipeline"));
    CHECK(has(message(), "(FluxPipeline)"));
  }
  SUBCASE("component missing from the index") {
    rewrite(index, [](Json& json) { json.erase("unet"); });
    CHECK(has(message(), "component \"unet\" must be given (missing)"));
  }
  SUBCASE("component null in the index") {
    Json none = Json::array();
    none.push_back(Json()), none.push_back(Json());
    set(index, "vae", none);
    CHECK(has(message(), "component \"vae\" must be given ([null, null])"));
  }
  SUBCASE("folder missing") {
    fs::remove_all(folder / "text_encoder");
    CHECK(has(message(), "the folder of component \"text_encoder\" is missing"));
  }
  SUBCASE("wrong class in the index") {
    Json tiny = Json::array();
    tiny.push_back("diffusers"), tiny.push_back("AutoencoderTiny");
    set(index, "vae", tiny);
    CHECK(has(message(), "component \"vae\" must be a AutoencoderKL (AutoencoderTiny)"));
  }
}

TEST_CASE("pipeline: components that do not fit name file, key and tensor") {
  const TempDir dir;
  const fs::path folder = dir / "model", index = folder / "model_index.json";
  save_pipeline(folder, tiny_pipeline("StableDiffusionPipeline"));
  const auto message = [&] { return load_message(folder); };
  SUBCASE("wrong class in the component") {
    set(folder / "unet/config.json", "_class_name", "SanaTransformer2DModel");
    CHECK(has(message(), "unet/config.json"));
    CHECK(has(message(), "SanaTransformer2DModel"));
  }
  SUBCASE("unknown key") {
    set(folder / "vae/config.json", "mystery", 1);
    CHECK(has(message(), "vae/config.json"));
    CHECK(has(message(), "mystery"));
  }
  SUBCASE("another size") {
    set(folder / "unet/config.json", "cross_attention_dim", 32);
    CHECK(has(message(), "unet/diffusion_pytorch_model.safetensors"));
    CHECK(has(message(), "attn2.to_k.weight (expected [32, 32], got [32, 64])"));
  }
  SUBCASE("truncated weights") {
    const fs::path file = folder / "text_encoder/model.safetensors";
    fs::resize_file(file, fs::file_size(file) / 2);
    CHECK(has(message(), "text_encoder/model.safetensors"));
  }
  SUBCASE("a pickle") {
    fs::rename(folder / "unet/diffusion_pytorch_model.safetensors", folder / "unet/diffusion_pytorch_model.bin");
    CHECK(has(message(), "is a pickle"));
  }
  SUBCASE("a component that is not used") {
    Json checker = Json::array();
    checker.push_back("stable_diffusion"), checker.push_back("StableDiffusionSafetyChecker");
    set(index, "safety_checker", checker);
    const Pipeline loaded = load_pipeline(folder);
    REQUIRE(loaded.notes.size() == 1);
    CHECK(loaded.notes[0] == "left out: safety_checker (StableDiffusionSafetyChecker)");
  }
}
