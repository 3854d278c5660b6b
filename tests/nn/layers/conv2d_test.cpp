#include "nn/layers/conv2d.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/backward.h"
#include "autograd/ops/conv.h"
#include "autograd/ops/reduce.h"
#include "engine/require.h"
#include "nn/layers/group_norm.h"
#include "nn/layers/sequential.h"
#include "nn/lora/adapter_state.h"
#include "nn/lora/merge.h"
#include "nn/parameter_arena.h"
#include "nn/state_dict.h"
#include "nn/visitors.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("Conv2d: the op with its parameters, in torch's shapes") {
  Generator generator(3);
  Conv2d layer(4, 6, {3, 2}, generator, {.conv = {.stride = {2, 1}, .padding = {1, 0}, .groups = 2}});
  CHECK(layer.weight().shape() == Shape{6, 2, 3, 2});
  const Tensor x = random_tensor({2, 4, 5, 4}, 1, DType::f32);
  const Tensor y =
      conv2d(x, layer.weight().weight(), layer.bias().weight(), {.stride = {2, 1}, .padding = {1, 0}, .groups = 2});
  CHECK(bits_of(layer.forward(x).value()) == bits_of(y));
  const double bound = 1 / std::sqrt(12.0);
  for (const Parameter* p : {&layer.weight(), &layer.bias()})
    for (const double value : p->weight().to_vector<double>()) CHECK(std::abs(value) <= bound);
  CHECK(parameters(layer).size() == 2);
  Conv2d plain(4, 6, {1, 1}, generator, {.bias = false});
  CHECK(parameters(plain).size() == 1);
}

TEST_CASE("Conv2d: kernels lie channels-last wherever they come from, but in a file that is taken over") {
  Generator generator(4);
  Conv2d layer(4, 6, {3, 2}, generator);
  const auto lies_so = [](Conv2d& conv) {
    const Tensor& kernels = conv.weight().value();
    return kernels.is_channels_last() && !kernels.is_contiguous();
  };
  const Tensor expected = layer.weight().value().contiguous();
  CHECK(lies_so(layer));
  const auto copy = clone(layer);
  CHECK(lies_so(*copy));
  Conv2d loaded(4, 6, {3, 2}, Init::shapes()), adopted(4, 6, {3, 2}, Init::shapes());
  StateDict state = state_dict(layer);
  for (NamedTensor& named : state) named.tensor = named.tensor.contiguous();
  load_state_dict(loaded, state);
  CHECK(lies_so(loaded));
  adopt_state_dict(adopted, state);
  CHECK(adopted.weight().value().data<float>() == state[0].tensor.data<float>());
  const ParameterArena arena(parameters(adopted));
  CHECK(lies_so(adopted));
  for (Conv2d* each : {copy.get(), &loaded, &adopted})
    CHECK(bits_of(each->weight().value().contiguous()) == bits_of(expected));
  backward(sum(adopted.forward(Variable(random_tensor({2, 4, 5, 4}, 1, DType::f32)))));
  CHECK(adopted.weight().grad().strides() == adopted.weight().value().strides());
}

TEST_CASE("Conv2d: a fresh adapter is the base bit for bit, a trained one merges, and files carry its kernel") {
  Generator generator(5);
  Sequential net;
  net.add<Conv2d>(3, 5, Size2d{3, 3}, generator, Conv2dLayerOptions{.conv = {.stride = {2, 2}, .padding = {1, 1}}});
  const Tensor x = random_tensor({2, 3, 7, 6}, 2, DType::f32);
  const Tensor base = net.forward(x).value();
  CHECK(add_adapters(net, "a", generator, {.rank = 2, .alpha = 3}) == 1);
  const AdapterScope scope(net, "a");
  CHECK(bits_of(net.forward(x).value()) == bits_of(base));
  for (const NamedParameter& named : parameters(net, Include::adapters))
    named.parameter->assign(random_tensor(named.parameter->shape(), 7, DType::f32));
  const Tensor adapted = net.forward(x).value();
  CHECK(bits_of(adapted) != bits_of(base));

  const StateDict state = adapter_state_dict(net, "a", AdapterFormat::peft, {});
  REQUIRE(state.size() == 2);
  CHECK(state[0].tensor.shape() == Shape{2, 3, 3, 3});
  CHECK(state[1].tensor.shape() == Shape{5, 2, 1, 1});

  CHECK(merge_adapter(net, "a") == 1);
  CHECK(worst_error(net.forward(x).value(), adapted.to_vector<double>()) < 1e-5);
}

TEST_CASE("Conv2d: only the adapter's gradients when the base is frozen") {
  Generator generator(6);
  Conv2d layer(2, 3, {3, 3}, generator, {.conv = {.padding = {1, 1}}, .dtype = DType::f64});
  add_adapters(layer, "a", generator, {.rank = 1});
  train_adapter_only(layer, "a");
  const AdapterScope scope(layer, "a");
  backward(sum(layer.forward(random_tensor({1, 2, 4, 4}, 3))));
  CHECK(!layer.weight().grad().defined());
  CHECK(layer.adapters().find("a")->up.grad().defined());
}

TEST_CASE("Conv2d and GroupNorm: what they reject") {
  CHECK(message_of([] {
          Conv2d(3, 4, {1, 1}, Init::zeros(), {.conv = {.groups = 2}});
        }) == "Conv2d: channels must be multiples of groups (3 and 4 channels, 2 groups)");
  Conv2d grouped(4, 4, {3, 3}, Init::zeros(), {.conv = {.groups = 4}});
  Generator generator(1);
  CHECK_THROWS_AS(add_adapters(grouped, "a", generator), ValueError);
  CHECK(message_of([] { GroupNorm(3, 4); }) ==
        "GroupNorm: channels must be a multiple of groups (4 channels, 3 groups)");
}

TEST_CASE("GroupNorm: starts as the op without parameters, and names weight and bias") {
  GroupNorm layer(2, 4, {.silu = true});
  const Tensor x = random_tensor({2, 4, 3, 3}, 1, DType::f32);
  CHECK(bits_of(layer.forward(x).value()) == bits_of(group_norm(x, {}, {}, {.groups = 2, .silu = true}).y));
  const ParameterList list = parameters(layer);
  REQUIRE(list.size() == 2);
  CHECK(list[0].name == "weight");
  CHECK(list[1].name == "bias");
  CHECK(parameters(*clone(layer)).size() == 2);
}
