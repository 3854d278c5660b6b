#include "nn/lora/merge.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/error.h"
#include "engine/ops.h"
#include "nn/adapter.h"
#include "nn/layers/activations.h"
#include "nn/layers/linear.h"
#include "nn/layers/sequential.h"
#include "nn/state_dict.h"
#include "tests/nn/lora/adapted_net.h"
#include "tests/support/numeric.h"

using namespace plumb;
using plumb::test::AdaptedNet;
using plumb::test::bits_of;
using plumb::test::message_of;
using plumb::test::random_tensor;

namespace {

std::string weights_of(Module& module) {
  std::string bits;
  for (const NamedTensor& named : state_dict(module)) bits += bits_of(named.tensor);
  return bits;
}

}  // namespace

TEST_CASE("merge_adapter: the merged module computes what the adapted one did, to rounding") {
  for (const DType dtype : {DType::f64, DType::f32}) {
    AdaptedNet net(dtype);
    net.add("student", {.rank = 2, .alpha = 5}, 7);
    net.add("other", {.rank = 3}, 70);
    const std::vector<double> adapted = [&] {
      const AdapterScope scope(net.net, "student");
      return net.net.forward(net.x).value().to(DType::f64).to_vector<double>();
    }();
    CHECK(merge_adapter(net.net, "student") == 2);
    CHECK_THROWS_AS(AdapterScope(net.net, "student"), ValueError);
    const Tensor merged = net.net.forward(net.x).value();
    // Each output sums 8 products of sums of 6, an ulp or so each.
    CHECK(plumb::test::worst_error(merged, adapted) <= (dtype == DType::f64 ? 1e-14 : 4e-6));
    // The other adapter is where it was.
    const std::string base = bits_of(merged);
    const AdapterScope scope(net.net, "other");
    CHECK(bits_of(net.net.forward(net.x).value()) != base);
  }
}

TEST_CASE("merge_adapter: W + weight alpha / rank up down, by hand") {
  Generator generator(1);
  Linear layer(2, 2, generator, {.bias = false, .dtype = DType::f64});
  layer.weight().assign(from_vector<double>({1, 2, 3, 4}, {2, 2}));
  add_adapters(layer, "a", generator, {.rank = 1, .alpha = 6});
  Adapter& adapter = *layer.adapters().find("a");
  adapter.down.assign(from_vector<double>({1, -1}, {1, 2}));
  adapter.up.assign(from_vector<double>({10, 100}, {2, 1}));
  CHECK(merge_adapter(layer, "a", 0.5) == 1);
  CHECK(layer.weight().value().to_vector<double>() == std::vector<double>{31, -28, 303, -296});
}

TEST_CASE("merge_adapter: an untrained adapter leaves every bit, a merged one can be taken out") {
  AdaptedNet net(DType::f32);
  const std::string before = weights_of(net.net);
  add_adapters(net.net, "fresh", net.generator, {.rank = 2});
  merge_adapter(net.net, "fresh");
  CHECK(weights_of(net.net) == before);
  const StateDict state = state_dict(*clone(net.net));
  net.add("student", {.rank = 2}, 7);
  const auto copy = clone(net.net);
  merge_adapter(net.net, "student");
  CHECK(weights_of(net.net) != before);
  const Adapter& trained = *adaptable_layers(*copy)[0].adapters->find("student");
  for (const AdaptableLayer& layer : adaptable_layers(*copy)) {
    AdapterList& list = *adaptable_layers(net.net)[layer.path == "0" ? 0 : 1].adapters;
    Adapter& again = list.add("student", Init::zeros(), {.rank = trained.rank()});
    again.down.assign(layer.adapters->find("student")->down.value());
    again.up.assign(layer.adapters->find("student")->up.value());
  }
  merge_adapter(net.net, "student", -1);
  for (const NamedTensor& named : state_dict(net.net))
    for (const NamedTensor& original : state)
      if (named.name == original.name)
        CHECK(plumb::test::worst_error(named.tensor, original.tensor.to(DType::f64).to_vector<double>()) <= 1e-6);
}

TEST_CASE("merge_adapter: 16-bit weights are merged in their masters, and rounded from them") {
  for (const DType dtype : {DType::bf16, DType::f16}) {
    AdaptedNet exact(DType::f32), mixed(DType::f32);
    to_dtype(mixed.net, dtype);
    for (AdaptedNet* net : {&exact, &mixed}) net->add("student", {.rank = 2}, 7);
    merge_adapter(exact.net, "student");
    merge_adapter(mixed.net, "student");
    CHECK(weights_of(mixed.net) == weights_of(exact.net));  // a state dict holds masters
    for (const NamedParameter& named : parameters(mixed.net)) {
      CHECK(named.parameter->dtype() == dtype);
      CHECK(bits_of(named.parameter->value()) == bits_of(named.parameter->master().to(dtype)));
    }
  }
}

TEST_CASE("merge_adapter: a weight of 16 bits without a master is the exact sum, rounded once") {
  Generator generator(1);
  Linear layer(1, 1, generator, {.bias = false});
  layer.weight().assign(full({1, 1}, 1.0));
  to_dtype(layer, DType::bf16, false);
  add_adapters(layer, "a", generator, {.rank = 1});
  Adapter& adapter = *layer.adapters().find("a");
  // 1 + (1 + 2^-7) 2^-8 is just above the middle between 1 and its neighbour 1 + 2^-7.
  adapter.down.assign(full({1, 1}, 1 + std::ldexp(1, -7)));
  adapter.up.assign(full({1, 1}, std::ldexp(1, -8)));
  merge_adapter(layer, "a");
  CHECK_FALSE(layer.weight().has_master());
  CHECK(layer.weight().value().to(DType::f64).to_vector<double>() == std::vector<double>{1 + std::ldexp(1, -7)});
}

TEST_CASE("merge_adapter: a convolution's kernel") {
  plumb::test::KernelLayer layer;
  Adapter& adapter = layer.adapters.add("a", layer.generator, {.rank = 2, .alpha = 3, .dtype = DType::f64});
  adapter.up.assign(random_tensor({4, 2}, 3));
  const std::vector<double> w = layer.weight.value().to_vector<double>(), d = adapter.down.value().to_vector<double>(),
                            u = adapter.up.value().to_vector<double>();
  std::vector<double> expected;
  for (size_t o = 0; o < 4; ++o)
    for (size_t i = 0; i < 18; ++i)
      expected.push_back(w[o * 18 + i] + 1.5 * (u[o * 2] * d[i] + u[o * 2 + 1] * d[18 + i]));
  merge_adapter(layer, "a");
  CHECK(plumb::test::worst_error(layer.weight.value(), expected) <= 1e-15);
}

TEST_CASE("merge_adapter: an unknown name or a weight that is not a number changes nothing") {
  AdaptedNet net(DType::f32);
  net.add("student", {.rank = 2}, 7);
  const std::string before = weights_of(net.net);
  CHECK(message_of([&] { merge_adapter(net.net, "studnet"); }) ==
        "merge_adapter: no layer has an adapter of this name (studnet)");
  CHECK(message_of([&] { merge_adapter(net.net, "student", std::nan("")); }).starts_with("merge_adapter: weight must"));
  CHECK(weights_of(net.net) == before);
  CHECK(state_dict(net.net, Include::adapters).size() == 4);
}
