// UNets that look at a text (condition_config.h), one thread: training steps (forward, mean squared error, backward,
// AdamW) of two small ones and the forward pass of Stable Diffusion 1.5's. The peer is
// bench/peers/torch_condition_unet.py. Bound of the last: 0.80 Tflop.

#include <memory>

#include "autograd/backward.h"
#include "autograd/grad_mode.h"
#include "autograd/ops/loss.h"
#include "bench/nn/condition_config.h"
#include "bench/nn/unet_config.h"
#include "engine/ops/random/random.h"
#include "engine/parallel.h"
#include "nn/optim/adam.h"
#include "nn/unet/unet2d_condition_model.h"

using namespace plumb;

namespace {

struct Batch {
  Batch(const UNet2DConditionOptions& options, int64_t size, int64_t side, int64_t tokens)
      : x(randn(RandomKey{.seed = 1}, {size, options.in_channels, side, side})),
        target(randn(RandomKey{.seed = 2}, {size, options.out_channels, side, side})),
        t(arange(0, double(size), 1, DType::f32)) {
    inputs.encoder_hidden_states = randn(RandomKey{.seed = 3}, {size, tokens, options.context_features()});
  }
  Tensor x, target, t;
  UNet2DConditionInputs inputs;
};

void training_steps(benchmark::State& state, const UNet2DConditionOptions& options, const Batch& batch) {
  set_num_threads(1);
  Generator generator(1);
  UNet2DConditionModel model(options, generator);
  AdamW optimizer(parameters(model), {.learning_rate = 1e-4, .weight_decay = 1e-2});
  auto step = [&] {
    optimizer.zero_grad();
    backward(mse(model.forward(batch.x, batch.t, batch.inputs), batch.target));
    optimizer.step();
  };
  step();  // fills the allocator's cache: steady state from here on
  reset_peak_memory();
  for (auto _ : state) step();
  bench::count_memory(state);
}

void unet_condition_tiny_step(benchmark::State& state) {
  const UNet2DConditionOptions options = bench::tiny_condition_options();
  training_steps(state, options, Batch(options, state.range(0), 16, 16));
}

void unet_condition_step(benchmark::State& state) {
  const UNet2DConditionOptions options = bench::small_condition_options();
  training_steps(state, options, Batch(options, state.range(0), 32, 77));
}

/// Made once for all repetitions: drawing 860 million weights takes longer than a forward pass.
UNet2DConditionModel& stable_diffusion() {
  static Generator generator(1);
  static UNet2DConditionModel model(bench::stable_diffusion_options(), generator);
  return model;
}

void unet_sd15_forward(benchmark::State& state) {
  set_num_threads(1);
  UNet2DConditionModel& model = stable_diffusion();
  const Batch batch(model.options(), state.range(0), 64, 77);
  const NoGrad no_grad;
  auto forward = [&] { benchmark::DoNotOptimize(model.forward(batch.x, batch.t, batch.inputs).value().raw_data()); };
  forward();  // fills the allocator's cache
  reset_peak_memory();
  for (auto _ : state) forward();
  bench::count_memory(state);
}

BENCHMARK(unet_condition_tiny_step)->Arg(16)->Unit(benchmark::kMillisecond);
BENCHMARK(unet_condition_step)->Arg(16)->Unit(benchmark::kMillisecond);
BENCHMARK(unet_sd15_forward)->Arg(1)->Unit(benchmark::kMillisecond);

}  // namespace
