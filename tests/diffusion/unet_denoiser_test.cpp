#include "diffusion/unet_denoiser.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/backward.h"
#include "autograd/ops.h"
#include "nn/optim/adam.h"
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

TEST_CASE("UNetDenoiser: in bf16 it takes and gives f32, follows the f32 network, and trains f32 masters") {
  UNet2DOptions options = small();
  options.down_block_types = {"DownBlock2D", "AttnDownBlock2D"};
  options.up_block_types = {"AttnUpBlock2D", "UpBlock2D"};
  options.attention_head_dim = 4;
  Generator generator(1);
  UNetDenoiser full(options, generator), half(full);
  to_dtype(half, DType::bf16);
  CHECK(half.unet().dtype() == DType::bf16);
  const Tensor x = random_tensor({2, 3, 8, 8}, 1, DType::f32), t = plumb::full({2}, 400), labels = arange(0, 2);
  AdamW full_optimizer(parameters(full), {.learning_rate = 1e-3});
  AdamW half_optimizer(parameters(half), {.learning_rate = 1e-3});
  const Variable wanted = full.predict(x, t, {.labels = labels}), got = half.predict(x, t, {.labels = labels});
  CHECK(got.dtype() == DType::f32);
  CHECK(norm_error(got.value(), wanted.value()) <= 2e-2);
  CHECK(bits_of(got.value()) != bits_of(wanted.value()));
  backward(mean(square(wanted)));
  backward(mean(square(got)));
  for (size_t i = 0; i < parameters(full).size(); ++i) {
    const Parameter &a = *parameters(half)[i].parameter, &b = *parameters(full)[i].parameter;
    CAPTURE(parameters(full)[i].name);
    CHECK(a.grad().dtype() == DType::f32);
    CHECK(a.master().dtype() == DType::f32);
    CHECK(bits_of(a.master()) == bits_of(b.value()));
  }
  const Tensor grads = full_optimizer.arena().groups()[0].grads;
  CHECK(norm_error(half_optimizer.arena().groups()[0].grads, grads) <= 3e-2);
  half_optimizer.step();
  for (const NamedParameter& named : parameters(half)) {
    CHECK(bits_of(named.parameter->value()) == bits_of(named.parameter->master().to(DType::bf16)));
    CHECK(bits_of(named.parameter->master()) != bits_of(named.parameter->value().to(DType::f32)));
  }
}
