#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/ops.h"
#include "engine/cuda/device.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "nn/adapter.h"
#include "nn/checkpoint.h"
#include "nn/layers/linear.h"
#include "nn/optim/adam.h"
#include "nn/optim/clip.h"
#include "nn/state_file.h"
#include "tests/support/numeric.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using plumb::test::random_tensor;

namespace {

class Pair final : public Layer<Pair> {
 public:
  explicit Pair(Init init) : first_(3, 5, init), second_(5, 2, init) {}
  explicit Pair(const Pair&) = default;
  Variable forward(const Variable& x) const { return second_.forward(silu(first_.forward(x))); }
  void visit(ModuleVisitor& visitor) override {
    visitor("first", first_);
    visitor("second", second_);
  }
  Linear first_, second_;
};

Pair made() {
  Generator generator(5);
  return Pair(generator);
}

/// The CPU, and a CUDA device where there is one.
std::vector<Device> devices() {
  std::vector<Device> all{kCpu};
  if (cuda_devices().count > 0) all.push_back({DeviceType::cuda, 0});
  return all;
}

/// Three steps of AdamW with an average on `device`, from the state given; what they leave behind, on the CPU.
void train(Pair& pair, AdamW& optimizer, Ema& ema, int64_t first, int64_t last) {
  const Device device = device_of(pair);
  for (int64_t step = first; step < last; ++step) {
    optimizer.zero_grad();
    const Tensor x = random_tensor({7, 3}, uint64_t(step + 1), DType::f32).to(device);
    const DType compute = pair.first_.weight().dtype();
    backward(mean(square(to(pair.forward(to(Variable(x), compute)), DType::f32))));
    const Tensor norm = clip_grad_norm(optimizer.arena(), 0.5);
    optimizer.step(not_finite(norm));
    ema.update();
  }
}

double largest_difference(const StateDict& a, const StateDict& b) {
  REQUIRE(a.size() == b.size());
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].name == b[i].name);
    const std::vector<double> x = a[i].tensor.to_vector<double>(), y = b[i].tensor.to_vector<double>();
    REQUIRE(x.size() == y.size());
    for (size_t k = 0; k < x.size(); ++k) {
      const double difference = std::abs(x[k] - y[k]);
      worst = difference <= worst ? worst : difference;
    }
  }
  return worst;
}

}  // namespace

TEST_CASE("to_device: values, masters, frozen flags and memory order stay, gradients go") {
  for (const Device device : devices()) {
    Parameter weight(permute(random_tensor({2, 4, 3, 5}, 1, DType::f32), {0, 3, 1, 2}));
    REQUIRE(weight.value().is_channels_last());
    weight.to_dtype(DType::bf16, true);
    backward(sum(to(weight.variable(), DType::f32)));
    const std::vector<double> value = weight.value().to_vector<double>(), master = weight.master().to_vector<double>();
    weight.to_device(device);
    CHECK(weight.device() == device);
    CHECK(weight.master().device() == device);
    CHECK(weight.value().is_channels_last());
    CHECK(weight.value().to_vector<double>() == value);
    CHECK(weight.master().to_vector<double>() == master);
    CHECK(weight.requires_grad());
    CHECK(weight.grad().defined() == device.is_cpu());  // where nothing moved, nothing was dropped
    weight.set_requires_grad(false);
    weight.to_device(kCpu);
    CHECK(!weight.requires_grad());
    CHECK(weight.value().to_vector<double>() == value);
    Parameter().to_device(device);
  }
}

TEST_CASE("to_device: adapters move with their layer, and are made where it is") {
  for (const Device device : devices()) {
    Pair pair = made();
    Generator generator(6);
    add_adapters(pair, "before", generator, {.rank = 2});
    to_device(pair, device);
    add_adapters(pair, "after", generator, {.rank = 2});
    for (const NamedParameter& named : parameters(pair)) CHECK(named.parameter->device() == device);
    CHECK(device_of(pair) == device);
    // The draws are the CPU's.
    Pair other = made();
    Generator again(6);
    add_adapters(other, "before", again, {.rank = 2});
    add_adapters(other, "after", again, {.rank = 2});
    CHECK(largest_difference(state_dict(pair, Include::all), state_dict(other, Include::all)) == 0);
  }
}

TEST_CASE("to_device: training on a device follows the CPU, and a checkpoint of either goes on on the other") {
  const test::TempDir folder;
  for (const DType type : {DType::f32, DType::bf16}) {
    for (const Device device : devices()) {
      Pair host = made(), pair = made();
      to_device(pair, device);
      for (Pair* each : {&host, &pair}) to_dtype(*each, type);
      AdamW host_optimizer(parameters(host), {.learning_rate = 1e-2});
      AdamW optimizer(parameters(pair), {.learning_rate = 1e-2});
      Ema host_ema(parameters(host)), ema(parameters(pair));
      train(host, host_optimizer, host_ema, 0, 3);
      train(pair, optimizer, ema, 0, 3);
      const double near = device.is_cpu() ? 0 : type == DType::f32 ? 1e-5 : 1e-2;
      CHECK(largest_difference(state_dict(host), state_dict(pair)) <= near);
      CHECK(largest_difference(host_ema.state_dict(), ema.state_dict()) <= near);

      save_checkpoint(folder.path(), 3, {&pair, &optimizer, &ema}, Json::object());
      const auto found = find_checkpoint(folder.path());
      REQUIRE(found);
      Pair whole(pair);
      Pair resumed = made();
      to_dtype(resumed, type);
      AdamW resumed_optimizer(parameters(resumed), {.learning_rate = 1e-2});
      Ema resumed_ema(parameters(resumed));
      load_checkpoint(found->path, {&resumed, &resumed_optimizer, &resumed_ema});
      CHECK(largest_difference(state_dict(resumed), state_dict(pair)) == 0);
      CHECK(largest_difference(resumed_optimizer.state_dict(), optimizer.state_dict()) == 0);
      CHECK(largest_difference(resumed_ema.state_dict(), ema.state_dict()) == 0);
      train(resumed, resumed_optimizer, resumed_ema, 3, 5);
      train(pair, optimizer, ema, 3, 5);
      CHECK(largest_difference(state_dict(resumed), state_dict(pair)) <= near);
      CHECK(largest_difference(state_dict(resumed), state_dict(whole)) > 0);
    }
  }
}

TEST_CASE("to_device: an optimiser whose parameters moved says so") {
  if (cuda_devices().count == 0) return;
  Pair pair = made();
  AdamW optimizer(parameters(pair), {.learning_rate = 1e-2});
  to_device(pair, {DeviceType::cuda, 0});
  CHECK_THROWS_AS(optimizer.step(), Error);
}
