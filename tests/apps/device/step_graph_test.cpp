// A training step captured as a graph: the same bits as the step itself, with everything that changes from step to step
// in the device's memory.

#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/ops.h"
#include "diffusion/point_denoiser.h"
#include "diffusion/unet_denoiser.h"
#include "engine/cuda/graph.h"
#include "engine/cuda/memory.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "engine/random/step_scope.h"
#include "nn/optim/adam.h"
#include "nn/optim/clip.h"
#include "nn/optim/ema.h"
#include "tests/support/numeric.h"

namespace plumb {
namespace {

using test::bits_of;

constexpr Device kDevice{DeviceType::cuda, 0};
constexpr int64_t kBatch = 13;

std::unique_ptr<Denoiser> point_network() {
  Generator generator(3);
  return std::make_unique<PointDenoiser>(
      PointDenoiserOptions{.time_features = 8, .class_features = 4, .hidden = 24, .hidden_layers = 2}, generator);
}

/// Residual blocks, attention, down and up, dropout inside.
std::unique_ptr<Denoiser> picture_network() {
  Generator generator(3);
  UNet2DOptions options;
  options.in_channels = options.out_channels = 2;
  options.block_out_channels = {8, 16};
  options.down_block_types = {"DownBlock2D", "AttnDownBlock2D"};
  options.up_block_types = {"AttnUpBlock2D", "UpBlock2D"};
  options.layers_per_block = 1;
  options.attention_head_dim = 8;
  options.norm_num_groups = 4;
  options.num_class_embeds = 6;
  options.dropout = 0.1;
  auto network = std::make_unique<UNetDenoiser>(options, generator);
  network->set_dropout(RandomKey{.seed = 6});
  return network;
}

ParameterList on_device(Module& network) {
  to_device(network, kDevice);
  return parameters(network);
}

/// A step of training with everything that may be in one.
struct Training {
  explicit Training(std::unique_ptr<Denoiser> trained = point_network(), const Shape& sample_shape = {kBatch, 2})
      : network(std::move(trained)), shape(sample_shape) {}

  std::unique_ptr<Denoiser> network;
  Shape shape;
  AdamW optimizer{trainable(on_device(*network)), {.learning_rate = 1e-2}};
  Ema ema{parameters(*network), {.decay = 0.9}};
  Tensor x0 = zeros(shape, DType::f32, kDevice), t = zeros({shape[0]}, DType::f32, kDevice),
         labels = zeros({shape[0]}, DType::i64, kDevice), random_step = scalar(0, DType::i64, kDevice),
         wanted_skip = scalar(0, DType::boolean, kDevice);
  Tensor loss, norm;

  void prepare(int64_t step) {
    const RandomKey key = RandomKey{.seed = 9}.at_step(uint64_t(step));
    x0.copy_(randn(key.fork("x"), shape));
    t.copy_(mul(rand(key.fork("t"), {shape[0]}), 999.0));
    labels.copy_(randint(key.fork("label"), 0, 6, {shape[0]}));
    random_step.fill_(double(step));
    wanted_skip.fill_(step == 6);
    optimizer.set_learning_rate(1e-2 / double(step + 1));
  }

  void operator()() {
    const RandomStepScope scope(random_step);
    const RandomKey key{.seed = 4};
    optimizer.zero_grad();
    const Tensor noise = randn(key.fork("noise"), shape, DType::f32, kDevice);
    const Variable output = network->predict(Variable(add(x0, noise)), t, {.labels = labels});
    const Variable error = mse(dropout(output, 0.25, key.fork("dropout")), Variable(noise));
    backward(error);
    norm = clip_grad_norm(optimizer.arena(), 0.05);
    const Tensor skip = logical_or(not_finite(norm), wanted_skip);
    optimizer.step(skip);
    ema.update(skip);
    loss = error.value();
  }

  /// Everything a step leaves behind.
  std::string bits() {
    std::string all = bits_of(loss.to(kCpu)) + bits_of(norm.to(kCpu));
    for (const StateDict& state : {optimizer.state_dict(), ema.state_dict(), state_dict(*network)})
      for (const auto& entry : state) all += bits_of(entry.tensor.to(kCpu));
    return all;
  }
};

/// Twelve steps eager beside two eager and ten replayed, then two more eager.
void check_replays(Training& eager, Training& replayed) {
  CudaGraph graph;
  for (int64_t step = 0; step < 12; ++step) {
    CAPTURE(step);
    eager.prepare(step), eager();
    replayed.prepare(step);
    if (step < 2) {
      replayed();
    } else {
      if (step == 2) graph.capture(kDevice, [&] { replayed(); });
      graph.replay();
    }
    REQUIRE((eager.bits() == replayed.bits()));
  }
  MESSAGE("a replay is ", graph.nodes(), " launches, copies and fills");
  CHECK(graph.nodes() > 20);
  CHECK(eager.optimizer.steps() == 11);
  CHECK(replayed.ema.steps() == 11);
  for (int64_t step = 12; step < 14; ++step) {  // from where the graph stopped
    eager.prepare(step), eager();
    replayed.prepare(step), replayed();
    CHECK((eager.bits() == replayed.bits()));
  }
}

}  // namespace

TEST_CASE("a captured training step has the eager step's bits: new batches, draws, learning rates and a skipped step") {
  Training eager, replayed;
  check_replays(eager, replayed);
}

TEST_CASE("a captured training step of a UNet with dropout has the eager step's bits") {
  Training eager(picture_network(), {2, 2, 8, 8}), replayed(picture_network(), {2, 2, 8, 8});
  check_replays(eager, replayed);
}

TEST_CASE("a captured training step: steady memory, a learning rate that is fixed inside is refused, two graphs") {
  Training first, second;
  for (int64_t step = 0; step < 2; ++step) first.prepare(step), first(), second.prepare(step), second();
  CudaGraph one, two;
  CHECK(test::message_of([&] { one.capture(kDevice, [&] { first(), first.optimizer.set_learning_rate(1); }); }) ==
        "set_learning_rate: a captured step must not fix the learning rate; do it before the capture or between "
        "replays");
  one.capture(kDevice, [&] { first(); });
  two.capture(kDevice, [&] { second(); });
  first.prepare(2), one.replay();
  const AllocatorStatistics before = allocator_statistics(kDevice);
  for (int64_t step = 3; step < 8; ++step) first.prepare(step), one.replay();
  const AllocatorStatistics after = allocator_statistics(kDevice);
  CHECK(after.reserved_bytes == before.reserved_bytes);
  CHECK(after.system_requests == before.system_requests);
  for (int64_t step = 2; step < 8; ++step) second.prepare(step), two.replay();
  CHECK((first.bits() == second.bits()));
}

TEST_CASE("out of memory in a training step, eager or captured, is one error and the next step works") {
  Training training, reference;
  training.prepare(0), training();
  reference.prepare(0), reference();
  release_cached_memory(kDevice);
  const int64_t all = allocator_statistics(kDevice).reserved_bytes;
  for (const int64_t room : {0, 2048, 8192}) {
    training.prepare(1);
    set_cuda_memory_cap(kDevice, all + room);
    CHECK(test::message_of([&] { training(); }).find("out of memory on cuda:0") != std::string::npos);
    CudaGraph graph;
    CHECK(test::message_of([&] { graph.capture(kDevice, [&] { training(); }); }).find("out of memory on cuda:0") !=
          std::string::npos);
    set_cuda_memory_cap(kDevice, 0);
    release_cached_memory(kDevice);
    CHECK(allocator_statistics(kDevice).reserved_bytes <= all);
  }
  CudaGraph graph;
  training.prepare(1);
  graph.capture(kDevice, [&] { training(); });
  graph.replay();
  reference.prepare(1), reference();
  CHECK((training.bits() == reference.bits()));
}

}  // namespace plumb
