// Against diffusers' conversion (tests/golden/make_ldm_names.py): every name of SD1.5, SD2 and SDXL.

#include "nn/pretrained/ldm_names.h"

#include <doctest/doctest.h>

#include <set>

#include "engine/error.h"
#include "engine/ops/layout/view.h"
#include "tests/nn/pretrained/manifest.h"
#include "tests/support/numeric.h"

using namespace plumb;
using plumb::test::bits_of;
using plumb::test::message_of;
using plumb::test::random_tensor;
using plumb::test::read_manifest;
using plumb::test::read_table;

namespace {

std::string layout_of(const LdmPlace& place) {
  switch (place.layout) {
    case LdmLayout::pointwise:
      return "linear";
    case LdmLayout::transposed:
      return "transposed";
    case LdmLayout::third:
      return "rows " + std::to_string(place.third);
    default:
      return "";
  }
}

void check_names(LdmPart part, const std::string& name, size_t count) {
  CAPTURE(name);
  const StateDict manifest = read_manifest(name);
  const auto expected = read_table("ldm_names/" + name + ".tsv");
  REQUIRE(manifest.size() == count);
  REQUIRE(expected.size() == count);
  std::vector<std::string> names;
  for (const NamedTensor& named : manifest) names.push_back(named.name);
  const LdmNames rules(part, names);
  for (size_t i = 0; i < count; ++i) {
    CAPTURE(names[i]);
    const LdmPlace place = rules.place(names[i]);
    CHECK(place.name == expected[i].at(0));
    CHECK(layout_of(place) == (expected[i].size() > 1 ? expected[i][1] : ""));
  }
}

/// Values for a few tensors of a manifest, small: every size is cut to 1, 2 or 3.
StateDict with_small_values(const std::string& name) {
  StateDict state;
  for (const NamedTensor& named : read_manifest(name)) {
    std::vector<int64_t> sizes;
    for (const int64_t size : named.tensor.shape()) sizes.push_back(1 + size % 3);
    state.push_back(
        {named.name, random_tensor(Shape(sizes.data(), int64_t(sizes.size())), state.size() + 1, DType::f32)});
  }
  return state;
}

void check_round_trip(LdmPart part, const StateDict& state) {
  const StateDict file = to_ldm(part, "a.b.", state);
  FromLdm back = from_ldm(part, "a.b.", state, file);
  CHECK((back.report.missing.empty() && back.report.extra.empty() && back.report.misshaped.empty()));
  REQUIRE(back.state.size() == state.size());
  for (size_t i = 0; i < state.size(); ++i) {
    CHECK(back.state[i].name == state[i].name);
    CHECK(back.state[i].tensor.shape() == state[i].tensor.shape());
    CHECK(bits_of(back.state[i].tensor) == bits_of(state[i].tensor));
  }
  const StateDict again = to_ldm(part, "a.b.", back.state);
  REQUIRE(again.size() == file.size());
  for (size_t i = 0; i < file.size(); ++i) {
    CHECK(again[i].name == file[i].name);
    CHECK(bits_of(again[i].tensor) == bits_of(file[i].tensor));
  }
}

const StateDict& tiny_clip() {
  static const StateDict state = {
      {"text_model.embeddings.position_embedding.weight", random_tensor({5, 4}, 1, DType::f32)},
      {"text_model.encoder.layers.0.self_attn.k_proj.bias", random_tensor({4}, 2, DType::f32)},
      {"text_model.encoder.layers.0.self_attn.q_proj.bias", random_tensor({4}, 3, DType::f32)},
      {"text_model.encoder.layers.0.self_attn.v_proj.bias", random_tensor({4}, 4, DType::f32)},
      {"text_projection.weight", random_tensor({3, 4}, 5, DType::f32)}};
  return state;
}

}  // namespace

TEST_CASE("single files: every name of the unets is diffusers'") {
  check_names(LdmPart::unet, "unet_sd15", 686);
  check_names(LdmPart::unet, "unet_sd2", 686);
  check_names(LdmPart::unet, "unet_sdxl", 1680);
}

TEST_CASE("single files: every name of the autoencoder and of OpenCLIP is diffusers'") {
  check_names(LdmPart::vae, "vae_sd", 248);
  check_names(LdmPart::open_clip, "clip_h", 372);
  check_names(LdmPart::open_clip, "clip_bigg", 517);
}

TEST_CASE("single files: there and back gives the same bits") {
  check_round_trip(LdmPart::unet, with_small_values("unet_sdxl"));
  check_round_trip(LdmPart::vae, with_small_values("vae_sd"));
  check_round_trip(LdmPart::clip, tiny_clip());
  check_round_trip(LdmPart::open_clip, tiny_clip());
}

TEST_CASE("single files: fused, transposed and pointwise weights") {
  const StateDict file = to_ldm(LdmPart::open_clip, "m.", tiny_clip());
  REQUIRE(file.size() == 3);
  CHECK(file[0].name == "m.positional_embedding");
  CHECK(file[1].name == "m.text_projection");
  CHECK(file[1].tensor.shape() == Shape{4, 3});
  CHECK(bits_of(file[1].tensor) == bits_of(transpose(tiny_clip()[4].tensor, 0, 1)));
  CHECK(file[2].name == "m.transformer.resblocks.0.attn.in_proj_bias");
  CHECK(bits_of(file[2].tensor) ==
        bits_of(tiny_clip()[2].tensor) + bits_of(tiny_clip()[1].tensor) + bits_of(tiny_clip()[3].tensor));

  const std::string name = "encoder.mid_block.attentions.0.to_out.0.weight";
  const StateDict vae = to_ldm(LdmPart::vae, "", {{name, random_tensor({2, 3}, 1, DType::f32)}});
  CHECK(vae[0].name == "encoder.mid.attn_1.proj_out.weight");
  CHECK(vae[0].tensor.shape() == Shape{2, 3, 1, 1});
}

TEST_CASE("single files: what does not fit is listed under the file's names") {
  StateDict file = to_ldm(LdmPart::open_clip, "m.", tiny_clip());
  file[0].tensor = zeros({5, 5});
  file[2].name = "m.other";
  file.push_back({"elsewhere", zeros({1})});
  const FromLdm back = from_ldm(LdmPart::open_clip, "m.", tiny_clip(), file);
  CHECK(back.report.missing == std::vector<std::string>{"m.transformer.resblocks.0.attn.in_proj_bias"});
  CHECK(back.report.extra == std::vector<std::string>{"m.other"});
  CHECK(back.report.misshaped == std::vector<std::string>{"m.positional_embedding (expected [5, 4], got [5, 5])"});
  CHECK(back.state.size() == 1);

  const StateDict parts = {tiny_clip()[1], tiny_clip()[2]};
  CHECK(message_of([&] { to_ldm(LdmPart::open_clip, "", parts); }).find("needs query, key and value") !=
        std::string::npos);
  for (const LdmPart part : {LdmPart::unet, LdmPart::vae, LdmPart::open_clip})
    for (const char* name :
         {"up_blocks", "up_blocks.x.y", "down_blocks.0.other.0.weight", "mid_block.resnets.0.norm9.bias",
          "encoder.what", "decoder.up_blocks.99999999999.a", "text_model.encoder.layers.0.x", ""})
      CHECK_THROWS_AS(to_ldm(part, "", {{name, zeros({2, 2})}}), ValueError);
}
