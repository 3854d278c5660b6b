// A whole optimiser step, clipping and EMA over 42,050 parameters (the net of toy2d), and AdamW over more, one thread.
// adamw/elements: bytes_per_second counts seven streams.
// Bound: a square root and a division an element; memory lies in the second-level cache.

#include <benchmark/benchmark.h>

#include "autograd/backward.h"
#include "engine/parallel.h"
#include "nn/optim/adam.h"
#include "nn/optim/clip.h"
#include "nn/optim/ema.h"
#include "nn/optim/sgd.h"

using namespace plumb;

namespace {

constexpr int64_t kElements = 42050;

struct Weights {
  explicit Weights(int64_t elements = kElements) : parameter(full({elements}, 0.5)) { set_num_threads(1); }
  ParameterList list() { return {{"w", &parameter}}; }
  void give_gradient() { backward(parameter.variable(), {.grad = full(parameter.value().shape(), 1e-3)}); }
  Parameter parameter;
};

void adamw(benchmark::State& state) {
  Weights weights;
  AdamW optimizer(weights.list());
  weights.give_gradient();
  for (auto _ : state) optimizer.step();
  state.SetItemsProcessed(state.iterations() * kElements);
}

void adamw_of(benchmark::State& state) {
  Weights weights(state.range(0));
  AdamW optimizer(weights.list());
  weights.give_gradient();
  for (auto _ : state) optimizer.step();
  state.SetBytesProcessed(state.iterations() * state.range(0) * 7 * int64_t(sizeof(float)));
}

void sgd_momentum(benchmark::State& state) {
  Weights weights;
  Sgd optimizer(weights.list(), {.momentum = 0.9});
  weights.give_gradient();
  for (auto _ : state) optimizer.step();
  state.SetItemsProcessed(state.iterations() * kElements);
}

void clip(benchmark::State& state) {
  Weights weights;
  ParameterArena arena(weights.list());
  weights.give_gradient();
  for (auto _ : state) benchmark::DoNotOptimize(clip_grad_norm(arena, 1e6));
  state.SetItemsProcessed(state.iterations() * kElements);
}

void ema(benchmark::State& state) {
  Weights weights;
  Ema average(weights.list());
  for (auto _ : state) average.update();
  state.SetItemsProcessed(state.iterations() * kElements);
}

const bool registered = [] {
  benchmark::RegisterBenchmark("adamw_42050", adamw);
  benchmark::RegisterBenchmark("adamw", adamw_of)->Arg(1000000)->Arg(10000000);
  benchmark::RegisterBenchmark("sgd_momentum_42050", sgd_momentum);
  benchmark::RegisterBenchmark("clip_grad_norm_42050", clip);
  benchmark::RegisterBenchmark("ema_42050", ema);
  return true;
}();

}  // namespace
