// 3x3 convolutions of the shapes in UNets, channels-last, one thread: GFLOP/s of a direct convolution, in the three
// directions. Arguments: pictures, input channels, output channels, height and width.

#include <benchmark/benchmark.h>

#include "engine/ops/conv/conv2d.h"
#include "engine/ops/layout/view.h"
#include "engine/ops/random/random.h"
#include "engine/parallel.h"

namespace {

using namespace plumb;

struct Problem {
  Tensor x, weight, grad;
  Conv2dOptions options{.padding = {1, 1}};
  double flops;
};

Tensor channels_last(const Tensor& x) { return permute(permute(x, {0, 2, 3, 1}).contiguous(), {0, 3, 1, 2}); }

Problem make_problem(const benchmark::State& state) {
  set_num_threads(1);
  const int64_t n = state.range(0), in = state.range(1), out = state.range(2), side = state.range(3);
  const RandomKey key{.seed = 1};
  return {.x = channels_last(randn(key.fork("x"), {n, in, side, side})),
          .weight = channels_last(randn(key.fork("weight"), {out, in, 3, 3})),
          .grad = channels_last(randn(key.fork("grad"), {n, out, side, side})),
          .flops = 2.0 * 9 * double(n * side * side) * double(in * out)};
}

template <class F>
void run(benchmark::State& state, F&& call) {
  const Problem problem = make_problem(state);
  for (auto _ : state) benchmark::DoNotOptimize(call(problem));
  state.counters["GFLOP/s"] =
      benchmark::Counter(problem.flops * double(state.iterations()) * 1e-9, benchmark::Counter::kIsRate);
}

void conv2d_forward(benchmark::State& state) {
  run(state, [](const Problem& p) { return conv2d(p.x, p.weight, {}, p.options); });
}
void conv2d_x(benchmark::State& state) {
  run(state, [](const Problem& p) { return conv2d_backward_x(p.grad, p.weight, p.x.shape(), p.options); });
}
void conv2d_weight(benchmark::State& state) {
  run(state, [](const Problem& p) { return conv2d_backward_weight(p.grad, p.x, p.weight.shape(), p.options); });
}

void shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"n", "in", "out", "side"})->Unit(benchmark::kMillisecond);
  bench->Args({16, 64, 64, 32})->Args({16, 128, 128, 16})->Args({16, 256, 256, 8});
  bench->Args({2, 320, 320, 64})->Args({2, 640, 640, 32})->Args({2, 1280, 1280, 16});
}

BENCHMARK(conv2d_forward)->Apply(shapes);
BENCHMARK(conv2d_x)->Apply(shapes);
BENCHMARK(conv2d_weight)->Apply(shapes);

}  // namespace
