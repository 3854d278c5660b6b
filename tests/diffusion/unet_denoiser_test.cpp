#include "diffusion/unet_denoiser.h"

#include <doctest/doctest.h>

#include "nn/visitors.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

UNet2DOptions small() {
  UNet2DOptions options;
  options.down_block_types = {"DownBlock2D", "DownBlock2D"};
  options.up_block_types = {"UpBlock2D", "UpBlock2D"};
  options.block_out_channels = {8, 8};
  options.layers_per_block = 1;
  options.norm_num_groups = 4;
  options.num_class_embeds = 3;
  options.dropout = 0.5;
  return options;
}

}  // namespace

TEST_CASE("UNetDenoiser: predicts what its UNet does, under the UNet's names") {
  Generator generator(1);
  UNetDenoiser denoiser(small(), generator);
  const Tensor x = random_tensor({2, 3, 4, 4}, 1, DType::f32), t = full({2}, 400), labels = arange(0, 2);
  const Tensor y = denoiser.predict(x, t, {.labels = labels}).value();
  CHECK(bits_of(denoiser.unet().forward(x, t, {.class_labels = labels}).value()) == bits_of(y));
  CHECK(parameters(denoiser)[0].name == "conv_in.weight");
  const auto copy = clone(denoiser);
  CHECK(bits_of(copy->predict(x, t, {.labels = labels}).value()) == bits_of(y));

  denoiser.set_dropout(RandomKey{.seed = 3});
  CHECK(bits_of(denoiser.predict(x, t, {.labels = labels}).value()) != bits_of(y));
  denoiser.set_dropout({});
  CHECK(bits_of(denoiser.predict(x, t, {.labels = labels}).value()) == bits_of(y));

  CHECK(message_of([&] { denoiser.predict(x, t, {}); }) ==
        "UNet2DModel: class labels are missing, and this model has classes");
  UNet2DOptions wider = small();
  wider.out_channels = 6;
  CHECK(message_of([&] { UNetDenoiser(wider, Init::zeros()); }) ==
        "UNet denoiser: in_channels and out_channels must be equal (3, 6)");
}
