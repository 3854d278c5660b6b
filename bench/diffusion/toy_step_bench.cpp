// One training step of the toy network (forward, mean squared error, backward, AdamW) on a fixed batch; the peer is
// bench/peers/torch_peer.py. Bound: 249,000 floating-point operations a sample in matrix products.

#include <benchmark/benchmark.h>

#include "autograd/backward.h"
#include "autograd/ops.h"
#include "diffusion/point_denoiser.h"
#include "engine/ops/random/random.h"
#include "engine/parallel.h"
#include "nn/optim/adam.h"

using namespace plumb;

namespace {

constexpr double kFlopsPerSample = 249e3;

void toy_step(benchmark::State& state) {
  set_num_threads(1);
  const int64_t n = state.range(0);
  const RandomKey key{.seed = 1};
  Generator generator(1);
  PointDenoiser model({}, generator);
  AdamW optimizer(parameters(model), {.learning_rate = 1e-3, .weight_decay = 1e-2});
  const Tensor x = randn(key.fork("x"), {n, 2}), target = randn(key.fork("target"), {n, 2});
  const Tensor t = randint(key.fork("t"), 0, 100, {n}).to(DType::f32);
  const Condition condition{.labels = randint(key.fork("labels"), 0, 6, {n})};
  for (auto _ : state) {
    optimizer.zero_grad();
    const Variable loss = mse(model.predict(x, t, condition), Variable(target));
    backward(loss);
    optimizer.step();
    benchmark::DoNotOptimize(loss.value().raw_data());
  }
  state.counters["GFLOP/s"] =
      benchmark::Counter(kFlopsPerSample * double(n) * double(state.iterations()) * 1e-9, benchmark::Counter::kIsRate);
}
BENCHMARK(toy_step)->Arg(512)->Arg(64)->Unit(benchmark::kMicrosecond);

}  // namespace
