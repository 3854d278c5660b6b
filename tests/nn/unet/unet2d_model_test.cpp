#include "nn/unet/unet2d_model.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "autograd/backward.h"
#include "autograd/ops/loss.h"
#include "engine/allocator.h"
#include "engine/ops/layout/view.h"
#include "engine/parallel.h"
#include "nn/state_dict.h"
#include "nn/unet/unet2d_config.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

UNet2DOptions small() {
  UNet2DOptions options;
  options.down_block_types = {"DownBlock2D", "AttnDownBlock2D"};
  options.up_block_types = {"AttnUpBlock2D", "UpBlock2D"};
  options.block_out_channels = {8, 16};
  options.layers_per_block = 1;
  options.norm_num_groups = 4;
  return options;
}

Tensor times(int64_t count) { return arange(3, 3 + 40 * double(count), 40, DType::f32); }

std::string step(UNet2DModel& model, const Tensor& x, const UNet2DInputs& inputs = {}) {
  zero_grad(model);
  const Variable y = model.forward(x, times(x.size(0)), inputs);
  backward(mse(y, random_tensor(y.shape(), 9, DType::f32)));
  std::string bits = bits_of(y.value());
  for (const NamedParameter& each : parameters(model)) bits += bits_of(each.parameter->grad());
  return bits;
}

/// Goes through the recorded graph and counts, of pictures that ops saved, those that are not channels-last.
struct Orders {
  int pictures = 0, others = 0;
};

Orders orders_of_saved(const Variable& y) {
  Orders orders;
  std::vector<const Node*> stack{y.node().get()}, seen;
  while (!stack.empty()) {
    const Node* node = stack.back();
    stack.pop_back();
    if (!node || std::find(seen.begin(), seen.end(), node) != seen.end()) continue;
    seen.push_back(node);
    const std::string_view op = node->name;
    if (op == "conv2d" || op == "group_norm" || op == "group_norm_conv2d") {
      const Tensor& x = node->saved_tensors()[0].tensor;
      ++orders.pictures;
      orders.others += !x.is_channels_last();
    }
    for (const Ref<Node>& input : node->inputs()) stack.push_back(input.get());
  }
  return orders;
}

}  // namespace

TEST_CASE("UNet2DModel: every convolution and normalisation works channels-last") {
  Generator generator(1);
  UNet2DModel model(small(), generator);
  const Variable y = model.forward(random_tensor({2, 3, 8, 8}, 1, DType::f32), times(2));
  const Orders orders = orders_of_saved(y);
  // Of residual blocks: 1 + 1 down, 2 middle, 2 + 2 up; each two pairs of normalisation and convolution. 5 shortcuts
  // (one down, four up), 2 changes of size, in and out (with a normalisation); 4 normalisations of attention.
  CHECK(orders.pictures == 8 * 2 + 5 + 2 + 2 + 4);
  CHECK(orders.others == 0);
}

TEST_CASE("UNet2DModel: the same bits for any number of threads, and with checkpointing the same gradients") {
  UNet2DOptions options = small();
  options.dropout = 0.3;
  Generator generator(2);
  UNet2DModel model(options, generator);
  const Tensor x = random_tensor({3, 3, 8, 8}, 1, DType::f32);
  const UNet2DInputs inputs{.dropout = RandomKey{.seed = 5}};
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
}

TEST_CASE("UNet2DModel: from the second step on, training asks the system for no memory") {
  // How often two threads hold scratch at once is a matter of luck; one thread always needs the same.
  const int threads = num_threads();
  set_num_threads(1);
  Generator generator(7);
  UNet2DModel model(small(), generator);
  const Tensor x = random_tensor({4, 3, 16, 16}, 1, DType::f32);
  for (int i = 0; i < 2; ++i) step(model, x);
  const AllocatorStatistics before = allocator_statistics();
  for (int i = 0; i < 3; ++i) step(model, x);
  const AllocatorStatistics after = allocator_statistics();
  CHECK(after.system_requests == before.system_requests);
  CHECK(after.reserved_bytes == before.reserved_bytes);
  CHECK(after.allocated_bytes == before.allocated_bytes);
  set_num_threads(threads);
}

TEST_CASE("UNet2DModel: dropout follows its key, and is off without one") {
  UNet2DOptions options = small();
  Generator generator(3), same(3);
  UNet2DModel plain(options, generator);
  options.dropout = 0.5;
  UNet2DModel model(options, same);
  const Tensor x = random_tensor({2, 3, 8, 8}, 1, DType::f32);
  auto run = [&](UNet2DModel& m, std::optional<RandomKey> key) {
    return bits_of(m.forward(x, times(2), {.dropout = key}).value());
  };
  CHECK(run(model, {}) == run(plain, {}));
  const RandomKey key{.seed = 7};
  CHECK(run(model, key) != run(plain, {}));
  CHECK(run(model, key) == run(model, key));
  CHECK(run(model, key) != run(model, key.at_step(1)));
  CHECK(run(plain, key) == run(plain, {}));
}

TEST_CASE("UNet2DModel: a clone is deep, and a picture's result does not depend on the batch it is in") {
  Generator generator(4);
  UNet2DModel model(small(), generator);
  const auto copy = clone(model);
  const Tensor x = random_tensor({2, 3, 8, 8}, 1, DType::f32);
  const Tensor y = model.forward(x, times(2)).value();
  CHECK(bits_of(copy->forward(x, times(2)).value()) == bits_of(y));
  parameters(*copy)[0].parameter->assign(zeros({8, 3, 3, 3}));
  CHECK(bits_of(model.forward(x, times(2)).value()) == bits_of(y));
  CHECK(worst_error(model.forward(slice(x, 0, 1), slice(times(2), 0, 1)).value(), slice(y, 0, 1).to_vector<double>()) <
        1e-5);
  // A contiguous and a channels-last picture are the same picture.
  CHECK(bits_of(model.forward(channels_last(x), times(2)).value()) == bits_of(y));
}

TEST_CASE("UNet2DModel: pictures that shrink to one pixel, and of one channel") {
  UNet2DOptions options = small();
  options.in_channels = options.out_channels = 1;
  Generator generator(5);
  UNet2DModel model(options, generator);
  const Variable y = model.forward(random_tensor({2, 1, 2, 2}, 1, DType::f32), times(2));
  CHECK(y.shape() == Shape{2, 1, 2, 2});
  CHECK(orders_of_saved(y).others == 0);
  backward(mse(y, zeros(y.shape())));
}

TEST_CASE("UNet2DModel: errors name what does not fit") {
  Generator generator(6);
  UNet2DModel model(small(), generator);
  const Tensor x = random_tensor({2, 3, 8, 8}, 1, DType::f32);
  auto forward = [&](const Tensor& picture, const Tensor& t, const UNet2DInputs& inputs = {}) {
    return message_of([&] { model.forward(picture, t, inputs); });
  };
  CHECK(forward(random_tensor({2, 3, 8, 7}, 1, DType::f32), times(2)) ==
        "UNet2DModel: x must be [N, 3, H, W] with H and W multiples of 2; f32[2, 3, 8, 7]");
  CHECK(forward(x, times(3)) == "UNet2DModel: t must have one timestep for each picture; t f32[3], x f32[2, 3, 8, 8]");
  CHECK(forward(x, times(2), {.class_labels = arange(0, 2)}) ==
        "UNet2DModel: class labels were given to a model without classes; set num_class_embeds or leave them out");

  auto refused = [](auto change) {
    UNet2DOptions options = small();
    change(options);
    return message_of([&] { UNet2DModel(options, Init::zeros()); });
  };
  CHECK(refused([](auto& o) {
          o.block_out_channels = {8, 18};
        }) == "UNet2DModel: block_out_channels must be multiples of norm_num_groups (18, 4 groups)");
  CHECK(refused([](auto& o) { o.up_block_types[0] = "SkipUpBlock2D"; }) ==
        "UNet2DModel: up_block_types must be \"UpBlock2D\" or \"AttnUpBlock2D\" (\"SkipUpBlock2D\")");
  CHECK(refused([](auto& o) { o.down_block_types.pop_back(); }) ==
        "UNet2DModel: down_block_types, up_block_types and block_out_channels must name as many levels (1, 2, 2)");
  CHECK(refused([](auto& o) { o.attention_head_dim = 32; }) ==
        "attention: attention_head_dim must be from 1 to the channels (32, 16 channels)");
  CHECK(refused([](auto& o) { o.act_fn = "elu"; }) == "act_fn: must be silu, swish, relu, gelu or mish (elu)");
  CHECK(message_of([] { unet2d_options(Json::parse(R"({"_class_name": "UNet2DModel", "layer_per_block": 2})")); }) ==
        "UNet2DModel config: unknown key \"layer_per_block\"");
  CHECK(message_of([] {
          unet2d_options(Json::parse(R"({"dropout": "no"})"));
        }).starts_with("UNet2DModel config: dropout: "));
}
