#include "apps/convert/convert.h"

#include <doctest/doctest.h>

#include <fstream>

#include "apps/inspect/describe.h"
#include "apps/inspect/describe_pictures.h"
#include "diffusion/pipeline/pipeline.h"
#include "nn/state_file.h"
#include "tests/diffusion/pipeline/tiny_pipeline.h"
#include "tests/support/numeric.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using plumb::test::message_of;
using plumb::test::TempDir;
using plumb::test::tiny_pipeline;

namespace {

namespace fs = std::filesystem;

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

int convert(const fs::path& from, const fs::path& to, std::vector<std::string> more = {}) {
  std::vector<std::string> words = {from.string(), "--out", to.string(), "--quiet"};
  words.insert(words.end(), more.begin(), more.end());
  return run_convert(words);
}

Json pictures_of(const fs::path& path) { return describe_path(path).at("pictures"); }

}  // namespace

TEST_CASE("convert: folder to single file and back, the same bytes") {
  const TempDir dir;
  save_pipeline(dir / "xl", tiny_pipeline("StableDiffusionXLPipeline"));
  CHECK(convert(dir / "xl", dir / "xl.safetensors") == 0);
  CHECK(convert(dir / "xl.safetensors", dir / "back", {"--tokenizer", (dir / "xl").string()}) == 0);
  CHECK(convert(dir / "back", dir / "again.safetensors") == 0);
  CHECK(read_file(dir / "xl.safetensors") == read_file(dir / "again.safetensors"));
  CHECK(read_file(dir / "xl/tokenizer_2/vocab.json") == read_file(dir / "back/tokenizer_2/vocab.json"));
  CHECK(convert(dir / "xl", dir / "half", {"--dtype", "f16"}) == 0);
  for (const NamedTensor& named : load_state(dir / "half/unet/diffusion_pytorch_model.safetensors"))
    CHECK(named.tensor.dtype() == DType::f16);
}

TEST_CASE("convert: what cannot be done is refused, and nothing is written") {
  const TempDir dir;
  save_pipeline(dir / "model", tiny_pipeline("DDPMPipeline"));
  fs::create_directory(dir / "mine");
  std::ofstream(dir / "mine" / "note") << "keep";
  const auto message = [&](const fs::path& from, const fs::path& to) { return message_of([&] { convert(from, to); }); };
  CHECK(has(message(dir / "model", dir / "a.safetensors"), "has no such form"));
  CHECK(has(message(dir / "model", dir / "mine"), "holds something else than a model"));
  CHECK(has(message(dir / "model", dir / "model"), "is the model itself"));
  CHECK(has(message(dir / "nothing", dir / "b"), "model_index.json, or a single file"));
  CHECK(has(message_of([&] { run_convert({(dir / "model").string()}); }), "--out is missing"));
  CHECK(dir.entries() == 2);
}

TEST_CASE("inspect: a folder's family, counts, types and readers") {
  const TempDir dir;
  const Pipeline pipeline = tiny_pipeline("StableDiffusionPipeline");
  save_pipeline(dir / "sd", pipeline);
  Json pictures = pictures_of(dir / "sd");
  CHECK(pictures.at("family").as_string() == "SD1");
  int64_t total = 0;
  for (const PipelineModule& each : modules_of(pipeline)) total += count(parameters(*each.module));
  CHECK(pictures.at("elements").as_integer() == total);
  CHECK(pictures.at("networks").size() == 3);
  CHECK(pictures.at("networks")[0].at("dtypes").dump() == "[\"f32\"]");
  CHECK(pictures.at("loads_with").size() == 4);
  const std::string text = format_description(describe_path(dir / "sd"), false);
  CHECK(has(text, "loads with: plumb, diffusers (StableDiffusionPipeline.from_pretrained), stable-diffusion.cpp"));

  // A name that does not belong.
  StateDict unet = load_state(dir / "sd/unet/diffusion_pytorch_model.safetensors");
  StateDict kept;
  for (const NamedTensor& named : unet) kept.push_back({named.name, named.tensor.clone()});
  kept[0].name = "mystery";
  fs::remove(dir / "sd/manifest.json");
  save_state(dir / "sd/unet/diffusion_pytorch_model.safetensors", kept);
  fs::remove(dir / "sd/vae/diffusion_pytorch_model.safetensors");
  pictures = pictures_of(dir / "sd");
  CHECK(pictures.at("loads_with").size() == 0);
  CHECK(pictures.at("networks")[0].at("extra")[0].as_string() == "mystery");
  CHECK(pictures.at("networks")[0].at("missing").size() == 1);
  CHECK(has(pictures.at("networks")[1].at("problem").as_string(), "weights: there must be"));
  CHECK(has(format_description(describe_path(dir / "sd"), false), "loads with: nothing as it is"));
}

TEST_CASE("inspect: a single file's family, counts and what does not fit") {
  const TempDir dir;
  save_single_file(dir / "sd.safetensors", tiny_pipeline("StableDiffusionPipeline"));
  Json pictures = pictures_of(dir / "sd.safetensors");
  CHECK(pictures.at("family").as_string() == "SD1");
  CHECK(pictures.at("loads_with").size() == 4);
  CHECK(has(format_description(describe_path(dir / "sd.safetensors"), true), "model.diffusion_model.out.2.bias"));
  StateDict state;
  for (const NamedTensor& named : load_state(dir / "sd.safetensors"))
    if (named.name != "model.diffusion_model.out.0.bias") state.push_back({named.name, named.tensor.clone()});
  save_state(dir / "cut.safetensors", state);
  pictures = pictures_of(dir / "cut.safetensors");
  CHECK(pictures.at("missing")[0].as_string() == "model.diffusion_model.out.0.bias");
  CHECK(pictures.at("loads_with").size() == 0);
  std::erase_if(state, [](const NamedTensor& named) { return named.name == "model.diffusion_model.out.2.weight"; });
  save_state(dir / "cut.safetensors", state);
  CHECK(has(pictures_of(dir / "cut.safetensors").at("problem").as_string(), "out.2.weight\" is missing"));
  save_state(dir / "other.safetensors", {{"x", zeros({1})}});
  CHECK_FALSE(describe_path(dir / "other.safetensors").find("pictures"));
}
