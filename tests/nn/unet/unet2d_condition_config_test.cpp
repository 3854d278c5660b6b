#include "nn/unet/unet2d_condition_config.h"

#include <doctest/doctest.h>

#include "nn/unet/unet2d_condition_model.h"
#include "nn/unet/unet2d_config.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

// As the models were published: the first with the keys of its time, the second with all those of later versions.
constexpr const char* kStableDiffusion15 = R"({
  "_class_name": "UNet2DConditionModel", "_diffusers_version": "0.6.0", "act_fn": "silu", "attention_head_dim": 8,
  "block_out_channels": [320, 640, 1280, 1280], "center_input_sample": false, "cross_attention_dim": 768,
  "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
  "downsample_padding": 1, "flip_sin_to_cos": true, "freq_shift": 0, "in_channels": 4, "layers_per_block": 2,
  "mid_block_scale_factor": 1, "norm_eps": 1e-05, "norm_num_groups": 32, "out_channels": 4, "sample_size": 64,
  "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]})";
constexpr const char* kStableDiffusionXl = R"({
  "_class_name": "UNet2DConditionModel", "_diffusers_version": "0.19.0.dev0", "act_fn": "silu",
  "addition_embed_type": "text_time", "addition_embed_type_num_heads": 64, "addition_time_embed_dim": 256,
  "attention_head_dim": [5, 10, 20], "attention_type": "default", "block_out_channels": [320, 640, 1280],
  "center_input_sample": false, "class_embed_type": null, "class_embeddings_concat": false, "conv_in_kernel": 3,
  "conv_out_kernel": 3, "cross_attention_dim": 2048, "cross_attention_norm": null,
  "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"], "downsample_padding": 1,
  "dropout": 0.0, "dual_cross_attention": false, "encoder_hid_dim": null, "encoder_hid_dim_type": null,
  "flip_sin_to_cos": true, "freq_shift": 0, "in_channels": 4, "layers_per_block": 2,
  "mid_block_only_cross_attention": null, "mid_block_scale_factor": 1, "mid_block_type": "UNetMidBlock2DCrossAttn",
  "norm_eps": 1e-05, "norm_num_groups": 32, "num_attention_heads": null, "num_class_embeds": null,
  "only_cross_attention": false, "out_channels": 4, "projection_class_embeddings_input_dim": 2816,
  "resnet_out_scale_factor": 1.0, "resnet_skip_time_act": false, "resnet_time_scale_shift": "default",
  "reverse_transformer_layers_per_block": null, "sample_size": 128, "time_cond_proj_dim": null,
  "time_embedding_act_fn": null, "time_embedding_dim": null, "time_embedding_type": "positional",
  "timestep_post_act": null, "transformer_layers_per_block": [1, 2, 10],
  "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"], "upcast_attention": null,
  "use_linear_projection": true})";

UNet2DConditionOptions options_of(const char* text) {
  UNet2DConditionOptions options = unet2d_condition_options(Json::parse(text));
  options.check();
  return options;
}

std::string refused(const char* text) {
  return message_of([&] { unet2d_condition_options(Json::parse(text)); });
}

std::string impossible(const char* text) {
  return message_of([&] { unet2d_condition_options(Json::parse(text)).check(); });
}

}  // namespace

TEST_CASE("UNet2DConditionModel config: published files are understood, and what is written reads back the same") {
  const UNet2DConditionOptions one = options_of(kStableDiffusion15), xl = options_of(kStableDiffusionXl);
  CHECK(one.context_features() == 768);
  CHECK(one.attention_head_dim[3] == 8);
  CHECK(one.sample_size == Size2d{64, 64});
  CHECK(xl.context_features() == 2048);
  CHECK(xl.transformer_layers_per_block[2][0] == 10);
  CHECK(xl.has_text_time());
  for (const char* text : {kStableDiffusion15, kStableDiffusionXl}) {
    const Json given = Json::parse(text), written = config_of(options_of(text));
    CHECK(config_of(unet2d_condition_options(written)) == written);
    for (const JsonMember& member : given.as_object()) {
      CAPTURE(member.key);
      const Json* found = written.find(member.key);
      // A key that is not written has the value that diffusers takes without it.
      if (found && member.key != "dropout") CHECK(*found == member.value);
    }
    CHECK(written.at("_class_name").as_string() == "UNet2DConditionModel");
  }
}

TEST_CASE("UNet2DConditionModel config: lists of settings, of sizes and of depths come back as they were") {
  const char* text = R"({"sample_size": [48, 64], "block_out_channels": [32, 64], "layers_per_block": [1, 2],
    "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D"], "only_cross_attention": [true, false],
    "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"], "cross_attention_dim": [16, 16],
    "transformer_layers_per_block": [1, [2, 3]], "reverse_transformer_layers_per_block": [[1, 2, 1], 2]})";
  const Json given = Json::parse(text), written = config_of(options_of(text));
  for (const JsonMember& member : given.as_object()) CHECK(written.at(member.key) == member.value);
}

TEST_CASE("UNet2DModel config: what is written reads back the same") {
  UNet2DOptions options;
  options.sample_size = Size2d{32, 32};
  options.num_class_embeds = 10;
  options.attention_head_dim = {};
  options.mid_block_type = "";
  const Json written = config_of(options);
  CHECK(written.at("_class_name").as_string() == "UNet2DModel");
  CHECK(written.at("sample_size").as_integer() == 32);
  CHECK(written.at("attention_head_dim").is_null());
  CHECK(config_of(unet2d_options(written)) == written);
}

TEST_CASE("UNet2DConditionModel config: errors name the key") {
  CHECK(refused(R"({"layer_per_block": 2})") == "UNet2DConditionModel config: unknown key \"layer_per_block\"");
  CHECK(refused(R"({"dropout": "no"})").starts_with("UNet2DConditionModel config: dropout: "));
  CHECK(refused(R"({"sample_size": [1, 2, 3]})") ==
        "UNet2DConditionModel config: sample_size: expected height and width, got 3 numbers");
  CHECK(refused(R"({"dual_cross_attention": true})") ==
        "UNet2DConditionModel config: dual_cross_attention is not supported unless it is false (true)");
  CHECK(refused(R"({"encoder_hid_dim": 8})") ==
        "UNet2DConditionModel config: encoder_hid_dim is not supported unless it is null (8)");
  for (const char* fine : {R"({"resnet_out_scale_factor": 1})", R"({"resnet_out_scale_factor": 1.0})"})
    CHECK_NOTHROW(unet2d_condition_options(Json::parse(fine)));

  CHECK(impossible(R"({"block_out_channels": [32, 64]})") ==
        "UNet2DConditionModel: down_block_types, up_block_types and block_out_channels must name as many levels (4, 4, "
        "2)");
  CHECK(impossible(R"({"attention_head_dim": [8, 8]})") ==
        "UNet2DConditionModel: attention_head_dim must be one value or a list of 4 (2 given)");
  CHECK(impossible(R"({"transformer_layers_per_block": [1, 1, [1, 2], 1]})") ==
        "UNet2DConditionModel: transformer_layers_per_block with a list within the list needs "
        "reverse_transformer_layers_per_block");
  CHECK(impossible(R"({"cross_attention_dim": [8, 16, 8, 8]})") ==
        "UNet2DConditionModel: cross_attention_dim must be the same on every level that uses it (8, 16); there is one "
        "context");
  CHECK(impossible(R"({"addition_embed_type": "text_time"})") ==
        "UNet2DConditionModel: addition_embed_type needs projection_class_embeddings_input_dim");
  CHECK(impossible(R"({"addition_embed_type": "image"})") ==
        "UNet2DConditionModel: addition_embed_type must be \"\" or \"text_time\" (\"image\")");
  CHECK(impossible(R"({"class_embeddings_concat": true})") ==
        "UNet2DConditionModel: class_embeddings_concat needs class_embed_type or num_class_embeds");
  CHECK(impossible(R"({"conv_in_kernel": 4})") == "UNet2DConditionModel: conv_in_kernel must be odd (4)");
  CHECK(impossible(R"({"mid_block_type": "UNetMidBlock2DSimpleCrossAttn"})")
            .starts_with("UNet2DConditionModel: mid_block_type must be "));
}
