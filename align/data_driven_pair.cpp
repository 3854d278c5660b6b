#include "align/data_driven_pair.h"

#include <cmath>

#include "autograd/backward.h"
#include "autograd/grad_mode.h"
#include "diffusion/denoising_loss.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "engine/require.h"
#include "nn/adapter.h"
#include "nn/optim/adam.h"
#include "nn/optim/clip.h"
#include "nn/visitors.h"

namespace plumb {
namespace {

constexpr const char* kWinner = "winner";
constexpr const char* kLoser = "loser";

struct Side {
  const char* adapter;
  Tensor PreferencePairs::*x0;
  const char* noise;  // stream
};

void check_options(Denoiser& network, const PairSource& pairs, const DataDrivenOptions& options) {
  require<ValueError>(pairs.size > 0, "data-driven policy pair: the preference set is empty");
  require<ValueError>(options.steps >= 0 && options.batch > 0 && options.max_grad_norm >= 0,
                      "data-driven policy pair: steps and max_grad_norm must not be negative, batch positive ({}, {}, "
                      "{})",
                      options.steps, options.max_grad_norm, options.batch);
  for (const AdaptableLayer& layer : adaptable_layers(network))
    if (const Adapter* active = layer.adapters->active())
      raise<ValueError>("data-driven policy pair: the initial model must have no active adapter ({}, layer {})",
                        active->name, layer.path);
}

/// Fine-tunes one adapter. Both sides see the same pairs and timesteps, which are streams of the same key.
void train(Denoiser& network, const Side& side, const NoiseSchedule& schedule, const PairSource& pairs,
           const RandomKey& key, const DataDrivenOptions& options) {
  train_adapter_only(network, side.adapter);
  const AdapterScope scope(network, side.adapter);
  AdamW optimizer(trainable(parameters(network)), {.learning_rate = options.learning_rate, .weight_decay = 1e-2});
  for (int64_t step = 0; step < options.steps; ++step) {
    const Device device = device_of(network);
    const RandomKey now = key.at_step(uint64_t(step));
    const Tensor index = randint(now.fork("pair"), 0, pairs.size, {options.batch}, device);
    const PreferencePairs taken = pairs.take(index, now);
    const Tensor& x0 = taken.*side.x0;
    const DenoisingBatch batch{.x0 = x0,
                               .noise = randn(now.fork(side.noise), x0.shape(), x0.dtype(), device),
                               .t = randint(now.fork("t"), 0, schedule.num_train_timesteps(), {options.batch}, device),
                               .condition = taken.condition};
    optimizer.zero_grad();
    const Variable loss = denoising_loss(network, schedule, options.prediction, batch);
    backward(loss);
    const double value = loss.value().to(DType::f64).item<double>();
    require<NumericError>(std::isfinite(value), "data-driven policy pair: the loss on {}s is {} at step {}",
                          side.adapter, value, step + 1);
    if (options.max_grad_norm > 0) clip_grad_norm(optimizer.arena(), options.max_grad_norm);
    optimizer.step();
  }
}

}  // namespace

DataDrivenPair::DataDrivenPair(std::unique_ptr<Denoiser> network) : network_(std::move(network)) {
  for (const char* name : {kWinner, kLoser}) AdapterScope(*network_, name);
  set_requires_grad(*network_, false);
}

Tensor DataDrivenPair::targets(const NoisedPairs& batch, const Tensor&) {
  NoGrad no_grad;
  const int64_t b = batch.pairs();
  const auto predict = [&](const char* adapter, int64_t begin, int64_t end) {
    const AdapterScope scope(*network_, adapter);
    return network_
        ->predict(slice(batch.x, 0, begin, end), slice(batch.time, 0, begin, end), batch.condition.rows(begin, end))
        .value();
  };
  const Tensor winning = predict(kWinner, 0, b);
  return cat({winning, predict(kLoser, b, 2 * b)}, 0);
}

std::unique_ptr<DataDrivenPair> make_data_driven_pair(const Denoiser& initial, const NoiseSchedule& schedule,
                                                      const PreferencePairs& pairs, const RandomKey& key,
                                                      const DataDrivenOptions& options) {
  const PairSource source{pairs.winners.defined() ? pairs.size() : 0,
                          [&](const Tensor& index, const RandomKey&) { return pairs.take(index); }};
  return make_data_driven_pair(initial, schedule, source, key, options);
}

std::unique_ptr<DataDrivenPair> make_data_driven_pair(const Denoiser& initial, const NoiseSchedule& schedule,
                                                      const PairSource& pairs, const RandomKey& key,
                                                      const DataDrivenOptions& options) {
  std::unique_ptr<Denoiser> network = clone(initial);
  check_options(*network, pairs, options);
  // add_adapters draws in sequence: a generator of its own, seeded by the key.
  Generator generator(key.fork("adapters").philox_key());
  const AdapterOptions shape{.rank = options.rank, .alpha = options.alpha};
  for (const char* name : {kWinner, kLoser}) add_adapters(*network, name, generator, shape, options.targets);
  train(*network, {kWinner, &PreferencePairs::winners, "winner noise"}, schedule, pairs, key, options);
  train(*network, {kLoser, &PreferencePairs::losers, "loser noise"}, schedule, pairs, key, options);
  return std::make_unique<DataDrivenPair>(std::move(network));
}

}  // namespace plumb
