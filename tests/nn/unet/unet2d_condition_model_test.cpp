#include "nn/unet/unet2d_condition_model.h"

#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/ops/loss.h"
#include "engine/ops/layout/view.h"
#include "engine/parallel.h"
#include "nn/visitors.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

UNet2DConditionOptions small() {
  UNet2DConditionOptions options;
  options.down_block_types = {"DownBlock2D", "CrossAttnDownBlock2D"};
  options.up_block_types = {"CrossAttnUpBlock2D", "UpBlock2D"};
  options.block_out_channels = {8, 16};
  options.layers_per_block = 1;
  options.norm_num_groups = 4;
  options.attention_head_dim = 2;
  options.cross_attention_dim = 6;
  return options;
}

Tensor times(int64_t count) { return arange(3, 3 + 40 * double(count), 40, DType::f32); }
UNet2DConditionInputs text(int64_t pictures) {
  return {.encoder_hidden_states = random_tensor({pictures, 5, 6}, 8, DType::f32)};
}

std::string step(UNet2DConditionModel& model, const Tensor& x, const UNet2DConditionInputs& inputs) {
  zero_grad(model);
  const Variable y = model.forward(x, times(x.size(0)), inputs);
  backward(mse(y, random_tensor(y.shape(), 9, DType::f32)));
  std::string bits = bits_of(y.value());
  for (const NamedParameter& each : parameters(model)) bits += bits_of(each.parameter->grad());
  return bits;
}

}  // namespace

TEST_CASE("UNet2DConditionModel: the same bits for any number of threads, and with checkpointing the same output") {
  UNet2DConditionOptions options = small();
  options.dropout = 0.3;
  Generator generator(2);
  UNet2DConditionModel model(options, generator);
  const Tensor x = random_tensor({3, 4, 8, 7}, 1, DType::f32);
  UNet2DConditionInputs inputs = text(3);
  inputs.dropout = RandomKey{.seed = 5};
  const int threads = num_threads();
  set_num_threads(1);
  const std::string one = step(model, x, inputs);
  set_num_threads(3);
  CHECK(step(model, x, inputs) == one);
  set_num_threads(threads);
  model.set_gradient_checkpointing(true);
  const std::string again = step(model, x, inputs);
  CHECK(again.size() == one.size());
  CHECK(again.substr(0, size_t(x.numel()) * 4) == one.substr(0, size_t(x.numel()) * 4));
  inputs.dropout = {};
  CHECK(step(model, x, inputs) != one);
}

TEST_CASE("UNet2DConditionModel: a clone is deep, and a picture's result does not depend on the batch it is in") {
  Generator generator(4);
  UNet2DConditionModel model(small(), generator);
  const auto copy = clone(model);
  const Tensor x = random_tensor({2, 4, 6, 5}, 1, DType::f32);
  const UNet2DConditionInputs both = text(2);
  const Tensor y = model.forward(x, times(2), both).value();
  CHECK(bits_of(copy->forward(x, times(2), both).value()) == bits_of(y));
  parameters(*copy)[0].parameter->assign(zeros({8, 4, 3, 3}));
  CHECK(bits_of(model.forward(x, times(2), both).value()) == bits_of(y));
  const UNet2DConditionInputs first{.encoder_hidden_states = slice(both.encoder_hidden_states.value(), 0, 1)};
  CHECK(worst_error(model.forward(slice(x, 0, 1), slice(times(2), 0, 1), first).value(),
                    slice(y, 0, 1).to_vector<double>()) < 1e-5);
  // A contiguous and a channels-last picture are the same picture.
  CHECK(bits_of(model.forward(channels_last(x), times(2), both).value()) == bits_of(y));
}

TEST_CASE("UNet2DConditionModel: pictures of one pixel, of one row and of one channel") {
  UNet2DConditionOptions options = small();
  options.in_channels = options.out_channels = 1;
  Generator generator(5);
  UNet2DConditionModel model(options, generator);
  for (const Shape& shape : {Shape{2, 1, 1, 1}, Shape{1, 1, 1, 5}, Shape{3, 1, 2, 2}}) {
    const Variable y = model.forward(random_tensor(shape, 1, DType::f32), times(shape[0]), text(shape[0]));
    CHECK(y.shape() == shape);
    backward(mse(y, zeros(shape)));
  }
}

TEST_CASE("UNet2DConditionModel: errors name what does not fit") {
  Generator generator(6);
  UNet2DConditionModel model(small(), generator);
  const Tensor x = random_tensor({2, 4, 8, 8}, 1, DType::f32);
  auto forward = [&](const Tensor& picture, const Tensor& t, const UNet2DConditionInputs& inputs) {
    return message_of([&] { model.forward(picture, t, inputs); });
  };
  CHECK(forward(random_tensor({2, 3, 8, 8}, 1, DType::f32), times(2), text(2)) ==
        "UNet2DConditionModel: x must be [N, 4, H, W]; f32[2, 3, 8, 8]");
  CHECK(forward(x, times(3), text(2)) ==
        "UNet2DConditionModel: t must have one timestep for each picture; t f32[3], x f32[2, 4, 8, 8]");
  CHECK(forward(x, times(2), {}) ==
        "UNet2DConditionModel: encoder_hidden_states are missing, and this model looks at a text");
  CHECK(forward(x, times(2), text(3)) ==
        "UNet2DConditionModel: encoder_hidden_states must be [2, tokens, 6]; f32[3, 5, 6]");
  UNet2DConditionInputs labelled = text(2), sized = text(2);
  labelled.class_labels = arange(0, 2);
  CHECK(forward(x, times(2), labelled) ==
        "UNet2DConditionModel: class labels were given to a model without classes; "
        "set num_class_embeds or leave them out");
  sized.time_ids = zeros({2, 6});
  CHECK(forward(x, times(2), sized) ==
        "UNet2DConditionModel: text_embeds or time_ids were given to a model without addition_embed_type");

  UNet2DConditionOptions options = small();
  options.attention_head_dim = 32;
  CHECK(
      message_of([&] { UNet2DConditionModel(options, generator); }) ==
      "UNet2DConditionModel: attention_head_dim, the number of heads, must not exceed the channels (32, 16 channels)");
  options = small();
  options.addition_embed_type = "text_time";
  options.addition_time_embed_dim = 4;
  options.projection_class_embeddings_input_dim = 29;
  UNet2DConditionModel xl(options, generator);
  UNet2DConditionInputs pooled = text(2);
  pooled.text_embeds = zeros({2, 6});
  pooled.time_ids = zeros({2, 6});
  CHECK(message_of([&] { xl.forward(x, times(2), pooled); }) ==
        "UNet2DConditionModel: text_embeds [2, F] and time_ids [2, K] must have F + 4 K = 29; f32[2, 6] and f32[2, 6]");
  CHECK(message_of([&] { xl.forward(x, times(2), text(2)); }) ==
        "UNet2DConditionModel: text_embeds and time_ids are missing, and this model has addition_embed_type text_time");
}
