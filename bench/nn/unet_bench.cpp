// The UNet of PERFORMANCE's table (unet_config.h), one thread: forward alone, and a training step (forward, mean
// squared error, backward, AdamW). The peer is bench/peers/torch_unet.py. Bound: 46 Gflop a forward of 16 pictures in
// convolutions (2.9 each), three times that a step.

#include "bench/nn/unet_config.h"

#include "autograd/backward.h"
#include "autograd/grad_mode.h"
#include "autograd/ops/loss.h"
#include "engine/ops/random/random.h"
#include "engine/parallel.h"
#include "nn/optim/adam.h"
#include "nn/unet/unet2d_model.h"

using namespace plumb;

namespace {

struct Batch {
  explicit Batch(int64_t size)
      : x(randn(RandomKey{.seed = 1}, {size, 3, 32, 32})),
        target(randn(RandomKey{.seed = 2}, {size, 3, 32, 32})),
        t(arange(0, double(size), 1, DType::f32)) {}
  Tensor x, target, t;
};

void unet_forward(benchmark::State& state) {
  set_num_threads(1);
  Generator generator(1);
  UNet2DModel model(bench::unet_options(), generator);
  const Batch batch(state.range(0));
  const NoGrad no_grad;
  reset_peak_memory();
  for (auto _ : state) benchmark::DoNotOptimize(model.forward(batch.x, batch.t).value().raw_data());
  bench::count_memory(state);
}

void training_steps(benchmark::State& state, bool checkpointing) {
  set_num_threads(1);
  Generator generator(1);
  UNet2DModel model(bench::unet_options(), generator);
  model.set_gradient_checkpointing(checkpointing);
  AdamW optimizer(parameters(model), {.learning_rate = 1e-4, .weight_decay = 1e-2});
  const Batch batch(state.range(0));
  auto step = [&] {
    optimizer.zero_grad();
    backward(mse(model.forward(batch.x, batch.t), batch.target));
    optimizer.step();
  };
  step();  // fills the allocator's cache: steady state from here on
  reset_peak_memory();
  for (auto _ : state) step();
  bench::count_memory(state);
}

void unet_step(benchmark::State& state) { training_steps(state, false); }
void unet_step_checkpointed(benchmark::State& state) { training_steps(state, true); }

BENCHMARK(unet_forward)->Arg(16)->Unit(benchmark::kMillisecond);
BENCHMARK(unet_step)->Arg(16)->Unit(benchmark::kMillisecond);
BENCHMARK(unet_step_checkpointed)->Arg(16)->Unit(benchmark::kMillisecond);

}  // namespace
