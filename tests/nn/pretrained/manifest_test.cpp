// Names, shapes and totals of the published models (tests/golden/manifests).

#include "tests/nn/pretrained/manifest.h"

#include <doctest/doctest.h>

#include <map>

#include "nn/unet/unet2d_condition_model.h"
#include "nn/vae/autoencoder_kl.h"

using namespace plumb;
using plumb::test::read_manifest;

namespace {

UNet2DConditionOptions sd15() {
  UNet2DConditionOptions options;
  options.cross_attention_dim = 768;
  return options;
}

UNet2DConditionOptions sd2() {
  UNet2DConditionOptions options;
  options.cross_attention_dim = 1024;
  options.attention_head_dim = std::vector<int64_t>{5, 10, 20, 20};
  options.use_linear_projection = true;
  return options;
}

UNet2DConditionOptions sdxl() {
  UNet2DConditionOptions options;
  options.block_out_channels = {320, 640, 1280};
  options.down_block_types = {"DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"};
  options.up_block_types = {"CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"};
  options.cross_attention_dim = 2048;
  options.attention_head_dim = std::vector<int64_t>{5, 10, 20};
  options.transformer_layers_per_block = std::vector<PerLevel<int64_t>>{1, 2, 10};
  options.use_linear_projection = true;
  options.addition_embed_type = "text_time";
  options.addition_time_embed_dim = 256;
  options.projection_class_embeddings_input_dim = 2816;
  return options;
}

void check_manifest(const std::string& name, Module& module, int64_t total) {
  CAPTURE(name);
  const StateDict manifest = read_manifest(name);
  const LoadReport report = compare_names(module, manifest);
  CHECK(report.missing == std::vector<std::string>());
  CHECK(report.extra == std::vector<std::string>());
  CHECK(report.misshaped == std::vector<std::string>());
  CHECK(count(parameters(module)) == total);
}

}  // namespace

TEST_CASE("manifests: the unets have every published name and shape") {
  UNet2DConditionModel first(sd15(), Init::shapes()), second(sd2(), Init::shapes()), large(sdxl(), Init::shapes());
  check_manifest("unet_sd15", first, 859'520'964);
  check_manifest("unet_sd2", second, 865'910'724);
  check_manifest("unet_sdxl", large, 2'567'463'684);
}

TEST_CASE("manifests: the autoencoder has every published name and shape") {
  AutoencoderKLOptions options;
  options.down_block_types = std::vector<std::string>(4, "DownEncoderBlock2D");
  options.up_block_types = std::vector<std::string>(4, "UpDecoderBlock2D");
  options.block_out_channels = {128, 256, 512, 512};
  options.layers_per_block = 2;
  AutoencoderKL vae(options, Init::shapes());
  check_manifest("vae_sd", vae, 83'653'863);
}
