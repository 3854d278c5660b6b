#include "diffusion/picture_denoiser.h"

#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/ops.h"
#include "diffusion/guidance.h"
#include "diffusion/unet_condition_denoiser.h"
#include "nn/state_dict.h"
#include "nn/visitors.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

constexpr const char* kPlain = R"({"_class_name": "UNet2DModel", "sample_size": 8, "block_out_channels": [8, 16],
  "down_block_types": ["DownBlock2D", "DownBlock2D"], "up_block_types": ["UpBlock2D", "UpBlock2D"],
  "layers_per_block": 1, "norm_num_groups": 4, "num_class_embeds": 3})";
constexpr const char* kText = R"({"_class_name": "UNet2DConditionModel", "sample_size": [4, 6],
  "block_out_channels": [8, 16], "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
  "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"], "layers_per_block": 1, "norm_num_groups": 4,
  "attention_head_dim": 2, "cross_attention_dim": 6, "num_class_embeds": 3, "dropout": 0.5,
  "addition_embed_type": "text_time", "addition_time_embed_dim": 4, "projection_class_embeddings_input_dim": 29})";

std::unique_ptr<PictureDenoiser> make(const char* config, uint64_t seed = 1) {
  Generator generator(seed);
  return make_picture_denoiser(Json::parse(config), generator);
}

Condition condition(int64_t pictures) {
  return {.labels = arange(0, double(pictures)),
          .context = random_tensor({pictures, 5, 6}, 2, DType::f32),
          .pooled = random_tensor({pictures, 5}, 3, DType::f32),
          .time_ids = random_tensor({pictures, 6}, 4, DType::f32)};
}

}  // namespace

TEST_CASE("make_picture_denoiser: the network its configuration names, and what it says of itself") {
  const auto plain = make(kPlain), text = make(kText);
  CHECK(plain->in_channels() == 3);
  CHECK(plain->sample_size() == Size2d{8, 8});
  CHECK(plain->multiple_of() == 2);
  CHECK(plain->classes() == 3);
  CHECK(plain->context_features() == 0);
  CHECK(text->in_channels() == 4);
  CHECK(text->sample_size() == Size2d{4, 6});
  CHECK(text->multiple_of() == 1);
  CHECK(text->classes() == 3);
  CHECK(text->context_features() == 6);
  for (const auto& each : {plain.get(), text.get()}) {
    CHECK(each->dtype() == DType::f32);
    const auto again = make_picture_denoiser(each->config(), Init::zeros());
    CHECK(again->config() == each->config());
    CHECK(parameters(*again).size() == parameters(*each).size());
  }
  CHECK(message_of([] { make(R"({"_class_name": "FluxTransformer2DModel"})"); }) ==
        "denoiser config: _class_name must be UNet2DModel or UNet2DConditionModel (FluxTransformer2DModel)");
  CHECK(message_of([] { make(R"({"_class_name": "UNet2DConditionModel", "out_channels": 8})"); }) ==
        "UNet denoiser: in_channels and out_channels must be equal (4, 8)");
}

TEST_CASE("UNetConditionDenoiser: predicts what its UNet does, under the UNet's names") {
  const auto denoiser = make(kText);
  UNet2DConditionModel& unet = dynamic_cast<UNetConditionDenoiser&>(*denoiser).unet();
  const Tensor x = random_tensor({2, 4, 5, 6}, 1, DType::f32), t = full({2}, 400);
  const Condition given = condition(2);
  const UNet2DConditionInputs inputs{.encoder_hidden_states = given.context,
                                     .text_embeds = given.pooled,
                                     .time_ids = given.time_ids,
                                     .class_labels = given.labels};
  const std::string y = bits_of(denoiser->predict(x, t, given).value());
  CHECK(bits_of(unet.forward(x, t, inputs).value()) == y);
  CHECK(bits_of(clone(*denoiser)->predict(x, t, given).value()) == y);
  CHECK(parameters(*denoiser)[0].name == "conv_in.weight");

  denoiser->set_dropout(RandomKey{.seed = 3});
  CHECK(bits_of(denoiser->predict(x, t, given).value()) != y);
  denoiser->set_dropout({});
  CHECK(bits_of(denoiser->predict(x, t, given).value()) == y);
}

TEST_CASE("UNetConditionDenoiser: guidance runs both halves of a condition") {
  const auto denoiser = make(kText);
  const Tensor x = random_tensor({2, 4, 4, 4}, 1, DType::f32), t = full({2}, 10);
  const Condition positive = condition(2);
  Condition negative = positive;
  negative.context = zeros({2, 5, 6});
  const Tensor with = denoiser->predict(x, t, positive).value(), without = denoiser->predict(x, t, negative).value();
  const Tensor expected = add(without, mul(sub(with, without), 3));
  CHECK(norm_error(guided_prediction(*denoiser, x, t, positive, negative, 3), expected) <= 1e-5);
}

TEST_CASE("UNetConditionDenoiser: in bf16 it takes and gives f32 and follows the f32 network") {
  const auto full_denoiser = make(kText), half = make(kText);
  to_dtype(*half, DType::bf16);
  const Tensor x = random_tensor({2, 4, 4, 6}, 1, DType::f32), t = full({2}, 400);
  const Variable wanted = full_denoiser->predict(x, t, condition(2)), got = half->predict(x, t, condition(2));
  CHECK(got.dtype() == DType::f32);
  CHECK(norm_error(got.value(), wanted.value()) <= 3e-2);
  backward(mean(square(wanted)));
  half->set_gradient_checkpointing(true);
  backward(mean(square(half->predict(x, t, condition(2)))));
  double got_norm = 0, wanted_norm = 0;
  for (size_t i = 0; i < parameters(*half).size(); ++i) {
    got_norm += sum(square(parameters(*half)[i].parameter->grad().to(DType::f32))).item<double>();
    wanted_norm += sum(square(parameters(*full_denoiser)[i].parameter->grad())).item<double>();
  }
  CHECK(std::abs(got_norm / wanted_norm - 1) <= 0.1);
}
