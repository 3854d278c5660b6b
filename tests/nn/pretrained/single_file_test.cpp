// Single files with every name of the published models, without memory.

#include "nn/pretrained/single_file.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "engine/error.h"
#include "tests/nn/pretrained/manifest.h"
#include "tests/support/numeric.h"

using namespace plumb;
using plumb::test::message_of;
using plumb::test::read_manifest;
using plumb::test::read_table;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

/// The tensors of golden data under their names in the single file.
void add(StateDict& file, const std::string& prefix, const std::string& name) {
  const StateDict manifest = read_manifest(name);
  const auto table = read_table("ldm_names/" + name + ".tsv");
  for (size_t i = 0; i < manifest.size(); ++i) {
    const Shape& shape = manifest[i].tensor.shape();
    const std::string layout = table[i].size() > 1 ? table[i][1] : "";
    Shape there = shape;
    if (layout == "linear") there = {shape[0], shape[1], 1, 1};
    if (layout == "transposed") there = {shape[1], shape[0]};
    if (layout.starts_with("rows")) there[0] *= 3;
    if (layout.starts_with("rows") && layout != "rows 0") continue;
    file.push_back({prefix + table[i][0], shape_only(there, DType::f16)});
  }
}

void add_clip(StateDict& file, const std::string& prefix) {
  for (const NamedTensor& named : read_manifest("clip_l"))
    file.push_back({prefix + named.name, shape_only(named.tensor.shape(), DType::f16)});
}

StateDict sd1() {
  StateDict file;
  add(file, "model.diffusion_model.", "unet_sd15");
  add(file, "first_stage_model.", "vae_sd");
  add_clip(file, "cond_stage_model.transformer.");
  return file;
}

StateDict sd2() {
  StateDict file;
  add(file, "model.diffusion_model.", "unet_sd2");
  add(file, "first_stage_model.", "vae_sd");
  add(file, "cond_stage_model.model.", "clip_h");
  return file;
}

StateDict sdxl() {
  StateDict file;
  add(file, "model.diffusion_model.", "unet_sdxl");
  add(file, "first_stage_model.", "vae_sd");
  add_clip(file, "conditioner.embedders.0.transformer.");
  add(file, "conditioner.embedders.1.model.", "clip_bigg");
  return file;
}

/// Every component's names and shapes are those of its manifest.
void check_components(const SingleFile& file, const std::vector<std::pair<std::string, std::string>>& expected) {
  REQUIRE(file.components.size() == expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(expected[i].first);
    CHECK(file.components[i].name == expected[i].first);
    const StateDict manifest = read_manifest(expected[i].second);
    StateDict got = file.components[i].weights;
    std::sort(got.begin(), got.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    REQUIRE(got.size() == manifest.size());
    bool same = true;
    for (size_t k = 0; k < got.size(); ++k)
      same = same && got[k].name == manifest[k].name && got[k].tensor.shape() == manifest[k].tensor.shape();
    CHECK(same);
  }
}

std::string value(const SingleFile& file, size_t component, const char* key) {
  return file.components.at(component).config.at(key).dump();
}

}  // namespace

TEST_CASE("single file: SD1 is recognised, with the published configuration") {
  const SingleFile file = split_single_file(sd1());
  CHECK(file.family == LdmFamily::sd1);
  CHECK(file.ignored.empty());
  check_components(file, {{"unet", "unet_sd15"}, {"vae", "vae_sd"}, {"text_encoder", "clip_l"}});
  CHECK(value(file, 0, "block_out_channels") == "[320, 640, 1280, 1280]");
  CHECK(value(file, 0, "cross_attention_dim") == "768");
  CHECK(value(file, 0, "attention_head_dim") == "8");
  CHECK(value(file, 0, "use_linear_projection") == "false");
  CHECK(value(file, 0, "transformer_layers_per_block") == "1");
  CHECK(value(file, 0, "sample_size") == "64");
  CHECK(value(file, 1, "block_out_channels") == "[128, 256, 512, 512]");
  CHECK(value(file, 1, "scaling_factor") == "0.18215");
  CHECK(value(file, 1, "sample_size") == "512");
  CHECK(value(file, 2, "num_hidden_layers") == "12");
  CHECK(value(file, 2, "num_attention_heads") == "12");
  CHECK(value(file, 2, "hidden_act") == "\"quick_gelu\"");
}

TEST_CASE("single file: SD2 is recognised, and the last layer of its text encoder left out") {
  StateDict given = sd2();
  given.push_back({"cond_stage_model.model.text_projection", shape_only({1024, 1024})});
  given.push_back({"cond_stage_model.model.logit_scale", shape_only({})});
  for (const NamedTensor& named : sd2())  // the layer that folders do without
    if (const size_t at = named.name.find("resblocks.22."); at != std::string::npos)
      given.push_back({std::string(named.name).replace(at, 12, "resblocks.23"), named.tensor});
  const SingleFile file = split_single_file(given);
  CHECK(file.family == LdmFamily::sd2);
  CHECK(file.ignored.size() == 14);
  check_components(file, {{"unet", "unet_sd2"}, {"vae", "vae_sd"}, {"text_encoder", "clip_h"}});
  check_components(split_single_file(sd2()), {{"unet", "unet_sd2"}, {"vae", "vae_sd"}, {"text_encoder", "clip_h"}});
  CHECK(value(file, 0, "attention_head_dim") == "[5, 10, 20, 20]");
  CHECK(value(file, 0, "cross_attention_dim") == "1024");
  CHECK(value(file, 0, "use_linear_projection") == "true");
  CHECK(value(file, 2, "num_hidden_layers") == "23");
  CHECK(value(file, 2, "num_attention_heads") == "16");
  CHECK(value(file, 2, "hidden_act") == "\"gelu\"");
}

TEST_CASE("single file: SDXL is recognised, with both text encoders") {
  StateDict given = sdxl();
  given.push_back({"conditioner.embedders.1.model.logit_scale", shape_only({})});
  given.push_back({"conditioner.embedders.0.transformer.text_model.embeddings.position_ids", shape_only({1, 77})});
  given.push_back({"denoiser.sigmas", shape_only({1000})});
  const SingleFile file = split_single_file(given);
  CHECK(file.family == LdmFamily::sdxl);
  CHECK(file.ignored.size() == 3);
  check_components(
      file, {{"unet", "unet_sdxl"}, {"vae", "vae_sd"}, {"text_encoder", "clip_l"}, {"text_encoder_2", "clip_bigg"}});
  CHECK(value(file, 0, "attention_head_dim") == "[5, 10, 20]");
  CHECK(value(file, 0, "transformer_layers_per_block") == "[1, 2, 10]");
  CHECK(value(file, 0, "addition_embed_type") == "\"text_time\"");
  CHECK(value(file, 0, "projection_class_embeddings_input_dim") == "2816");
  CHECK(value(file, 1, "scaling_factor") == "0.13025");
  CHECK(value(file, 1, "force_upcast") == "true");
  CHECK(value(file, 3, "projection_dim") == "1280");
}

TEST_CASE("single file: components may be absent, the unet not") {
  StateDict unet;
  add(unet, "model.diffusion_model.", "unet_sdxl");
  CHECK(split_single_file(unet).family == LdmFamily::sdxl);
  CHECK(split_single_file(unet).components.size() == 1);
  StateDict second;
  add(second, "model.diffusion_model.", "unet_sd2");
  CHECK(split_single_file(second).family == LdmFamily::sd2);
  StateDict vae;
  add(vae, "first_stage_model.", "vae_sd");
  CHECK(has(message_of([&] { split_single_file(vae); }), "must be a model of Stable Diffusion 1, 2 or XL"));
}

TEST_CASE("single file: the first text encoder without text_model. in its names") {
  StateDict file = sd1();
  for (NamedTensor& named : file)
    if (const size_t at = named.name.find("text_model."); at != std::string::npos) named.name.erase(at, 11);
  check_components(split_single_file(file), {{"unet", "unet_sd15"}, {"vae", "vae_sd"}, {"text_encoder", "clip_l"}});
}

TEST_CASE("single file: what does not fit is listed in the file's names") {
  StateDict file = sd1();
  const auto at = [&](const std::string& name) {
    return std::find_if(file.begin(), file.end(), [&](const NamedTensor& named) { return named.name == name; });
  };
  const std::string bias = "model.diffusion_model.output_blocks.3.1.norm.bias";
  const std::string wide = "first_stage_model.decoder.mid.attn_1.q.weight";
  file.erase(at(bias));
  at(wide)->tensor = shape_only({512, 512});
  file.push_back({"model.diffusion_model.mystery", shape_only({1})});
  const std::string message = message_of([&] { split_single_file(file); });
  CHECK(has(message, "1 missing: " + bias));
  CHECK(has(message, "1 extra: model.diffusion_model.mystery"));
  CHECK(has(message, "1 misshaped: " + wide + " (expected [512, 512, 1, 1], got [512, 512])"));
  file.push_back({wide, shape_only({1})});
  file.erase(at("model.diffusion_model.out.2.weight"));
  CHECK(has(message_of([&] { split_single_file(file); }), "tensor \"model.diffusion_model.out.2.weight\" is missing"));
}

TEST_CASE("single file: other files are told apart") {
  const auto message = [](const std::string& name) {
    return message_of([&] { split_single_file({{name, shape_only({1})}}); });
  };
  CHECK(has(message("conditioner.embedders.0.model.ln_final.bias"), "refiner"));
  CHECK(has(message("down_blocks.0.resnets.0.norm1.bias"), "one component of a folder"));
  CHECK(has(message("lora_unet_x.alpha"), "adapter"));
  CHECK(has(message("x"), "none of its names begins with"));
  CHECK_THROWS_AS(split_single_file({}), ValueError);
}
