#include "nn/adapter.h"

#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/ops/elementwise.h"
#include "autograd/ops/layout.h"
#include "autograd/ops/reduce.h"
#include "engine/error.h"
#include "nn/checkpoint_module.h"
#include "nn/layers/activations.h"
#include "nn/layers/linear.h"
#include "nn/layers/sequential.h"
#include "nn/state_dict.h"
#include "tests/support/numeric.h"

using namespace plumb;
using plumb::test::bits_of;
using plumb::test::random_tensor;

namespace {

struct Net {
  Net() { net.add<Linear>(6, 8, generator).add<SiLU>().add<Linear>(8, 3, generator); }
  std::string output() { return bits_of(net.forward(x).value()); }
  /// Makes an adapter's up matrix something other than zero.
  void train(const std::string& name, uint64_t seed) {
    for (const NamedParameter& named : parameters(net, Include::adapters))
      if (named.name.find("adapters." + name + ".up") != std::string::npos)
        named.parameter->assign(random_tensor(named.parameter->shape(), seed++, DType::f32));
  }
  Generator generator{11};
  Sequential net;
  Tensor x = random_tensor({5, 6}, 4, DType::f32);
};

}  // namespace

TEST_CASE("adapter: a fresh one is the base bit for bit, active or not") {
  Net net;
  const std::string base = net.output();
  CHECK(add_adapters(net.net, "student", net.generator, {.rank = 2}) == 2);
  CHECK(net.output() == base);
  {
    const AdapterScope scope(net.net, "student");
    CHECK(net.output() == base);
  }
  net.train("student", 5);
  CHECK(net.output() == base);
  const AdapterScope scope(net.net, "student");
  CHECK(net.output() != base);
}

TEST_CASE("adapter: a layer with an activation is the activation of the layer, with and without one active") {
  Generator generator(3);
  Linear layer(30, 20, generator);
  add_adapters(layer, "a", generator, {.rank = 2});
  layer.adapters().find("a")->up.assign(random_tensor({20, 2}, 5, DType::f32));
  const std::vector<Variable> parts{Variable(random_tensor({40, 13}, 6, DType::f32)),
                                    Variable(random_tensor({40, 17}, 7, DType::f32))};
  const Variable x = cat(parts, 1);
  const std::string base = bits_of(layer.forward(x).value());
  for (const char* name : {"none", "a"}) {
    const AdapterScope scope(layer, name);
    const std::string expected = bits_of(silu(layer.forward(x)).value());
    CHECK(bits_of(layer.forward(x, FusedActivation::silu).value()) == expected);
    CHECK(bits_of(layer.forward(parts, FusedActivation::silu).value()) == expected);
    CHECK((bits_of(layer.forward(x).value()) == base) == (std::string_view(name) == "none"));
  }
}

TEST_CASE("adapter: delta = up(down(x)) alpha / rank") {
  Generator generator(2);
  Linear layer(3, 2, generator, {.dtype = DType::f64});
  add_adapters(layer, "a", generator, {.rank = 2, .alpha = 5});
  Adapter& adapter = *layer.adapters().find("a");
  CHECK(adapter.down.dtype() == DType::f64);
  adapter.up.assign(random_tensor({2, 2}, 9));
  const Tensor x = random_tensor({1, 3}, 3);
  const std::vector<double> v = x.to_vector<double>(), d = adapter.down.value().to_vector<double>(),
                            u = adapter.up.value().to_vector<double>(),
                            base = layer.forward(x).value().to_vector<double>();
  layer.adapters().activate("a");
  std::vector<double> expected;
  for (size_t o = 0; o < 2; ++o) {
    double delta = 0;
    for (size_t r = 0; r < 2; ++r)
      delta += u[o * 2 + r] * (d[r * 3] * v[0] + d[r * 3 + 1] * v[1] + d[r * 3 + 2] * v[2]);
    expected.push_back(base[o] + delta * 5 / 2);
  }
  CHECK(plumb::test::worst_error(layer.forward(x).value(), expected) <= 1e-15);
}

TEST_CASE("adapter: scopes nest and put the earlier choice back, layer by layer") {
  Net net;
  add_adapters(net.net, "one", net.generator, {.rank = 2});
  add_adapters(net.net, "two", net.generator, {.rank = 3}, {"2"});
  net.train("one", 1), net.train("two", 100);
  const std::string none = net.output();
  std::string one, two;
  {
    const AdapterScope outer(net.net, "one");
    one = net.output();
    {
      const AdapterScope inner(net.net, "two");  // the first layer has no "two": it runs as the base
      two = net.output();
      const AdapterScope off(net.net, "none");
      CHECK(net.output() == none);
    }
    CHECK(net.output() == one);
  }
  CHECK(net.output() == none);
  CHECK(one != none);
  CHECK(two != none);
  CHECK(two != one);
  CHECK_THROWS_WITH_AS(AdapterScope(net.net, "tow"), "adapter: no layer has an adapter of this name (tow)", ValueError);
}

TEST_CASE("adapter: names are checked, targets must match") {
  Net net;
  CHECK_THROWS_WITH_AS(add_adapters(net.net, "none", net.generator),
                       "adapter: name must be new and neither empty nor \"none\" (none)", ValueError);
  CHECK_THROWS_WITH_AS(add_adapters(net.net, "a", net.generator, {}, {"to_q"}),
                       "add_adapters: no layer ends with one of the targets (2 layers can carry adapters); a",
                       ValueError);
  CHECK_THROWS_WITH_AS(add_adapters(net.net, "a", net.generator, {.rank = 0}), "adapter: rank must be positive (0); a",
                       ValueError);
}

TEST_CASE("adapter: training one leaves the base without gradients, and the base state dict without adapters") {
  Net net;
  add_adapters(net.net, "student", net.generator, {.rank = 2});
  train_adapter_only(net.net, "student");
  const AdapterScope scope(net.net, "student");
  backward(sum(net.net.forward(net.x)));
  std::string names;
  for (const NamedParameter& named : trainable(parameters(net.net))) names += named.name + " ";
  CHECK(names == "0.adapters.student.down 0.adapters.student.up 2.adapters.student.down 2.adapters.student.up ");
  for (const NamedParameter& named : parameters(net.net))
    CHECK(named.parameter->grad().defined() == (named.name.find("adapters") != std::string::npos));
  CHECK(state_dict(net.net).size() == 4);
  CHECK(state_dict(net.net, Include::adapters).size() == 4);
  CHECK(state_dict(net.net, Include::all).size() == 8);
  CHECK_THROWS_AS(train_adapter_only(net.net, "teacher"), ValueError);
}

TEST_CASE("adapter: a clone has its own, with the same one active") {
  Net net;
  add_adapters(net.net, "student", net.generator, {.rank = 2});
  net.train("student", 3);
  const AdapterScope scope(net.net, "student");
  const std::string before = net.output();
  const auto copy = clone(net.net);
  net.train("student", 50);
  CHECK(net.output() != before);
  CHECK(bits_of(copy->forward(net.x).value()) == before);
}

TEST_CASE("checkpoint module: recomputes with the adapter that was active in forward") {
  Net net;
  add_adapters(net.net, "student", net.generator, {.rank = 2});
  net.train("student", 3);
  train_adapter_only(net.net, "student");
  auto gradients = [&](bool checkpointed) {
    zero_grad(net.net);
    const Variable loss = [&] {
      const AdapterScope scope(net.net, "student");
      const Variable x(net.x);  // a constant: only captured weights need gradients
      const Variable y = checkpointed ? checkpoint_module(
                                            net.net, [&](const Variable& in) { return net.net.forward(in); }, x)
                                      : net.net.forward(x);
      return sum(mul(y, y));
    }();
    const AdapterScope elsewhere(net.net, "none");
    backward(loss);
    std::string bits;
    for (const NamedParameter& named : parameters(net.net, Include::adapters)) bits += bits_of(named.parameter->grad());
    CHECK(net.output() == bits_of([&] { return net.net.forward(net.x).value(); }()));
    return bits;
  };
  CHECK(gradients(true) == gradients(false));
}
