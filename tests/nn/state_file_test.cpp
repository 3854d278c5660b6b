#include "nn/state_file.h"

#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/ops/reduce.h"
#include "engine/error.h"
#include "nn/layers/activations.h"
#include "nn/layers/linear.h"
#include "nn/layers/sequential.h"
#include "nn/optim/adam.h"
#include "tests/support/numeric.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using plumb::test::bits_of;

namespace {

struct Net {
  explicit Net(uint64_t seed) {
    Generator generator(seed);
    net.add<Linear>(3, 4, generator).add<SiLU>().add<Linear>(4, 2, generator);
  }
  std::string bits() {
    std::string all;
    for (const NamedTensor& named : state_dict(net)) all += bits_of(named.tensor);
    return all;
  }
  void step(Optimizer& optimizer) {
    optimizer.zero_grad();
    backward(sum(net.forward(plumb::test::random_tensor({5, 3}, 4, DType::f32))));
    optimizer.step();
  }
  Sequential net;
};

}  // namespace

TEST_CASE("state file: weights and optimiser go through a file and training continues bit for bit") {
  const plumb::test::TempDir dir;
  Net first(1), second(2);
  Adam one(trainable(parameters(first.net)));
  for (int i = 0; i < 3; ++i) first.step(one);
  save_state(dir.path() / "model.safetensors", state_dict(first.net));
  save_state(dir.path() / "optimizer.safetensors", one.state_dict());

  load_state_file(second.net, dir.path() / "model.safetensors");
  Adam two(trainable(parameters(second.net)), {.learning_rate = 0.3});
  two.load_state_dict(load_state(dir.path() / "optimizer.safetensors"));
  CHECK(first.bits() == second.bits());
  for (int i = 0; i < 3; ++i) first.step(one), second.step(two);
  CHECK(first.bits() == second.bits());
  CHECK(two.steps() == 6);
}

TEST_CASE("state file: a file that does not fit is named") {
  const plumb::test::TempDir dir;
  Net net(1);
  const std::filesystem::path path = dir.path() / "model.safetensors";
  save_state(path, {{"0.weight", zeros({4, 3})}});
  CHECK_THROWS_WITH_AS(
      load_state_file(net.net, path),
      (path.string() + ": load_state_dict: names and shapes must match; 3 missing: 0.bias, 2.weight, 2.bias").c_str(),
      ValueError);
  CHECK_THROWS_AS(load_state_file(net.net, dir.path() / "absent"), IoError);
  CHECK_THROWS_AS(save_state(path, {{"a", zeros({1})}, {"a", zeros({1})}}), ValueError);
}
