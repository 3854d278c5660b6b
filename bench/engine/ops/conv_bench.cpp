// 3x3 convolutions of the shapes in UNets, channels-last, one thread: effective GFLOP/s, that is operations of the
// direct convolution over the time, in the three directions; by the algorithm that conv2d chooses, by the direct one
// and by Winograd's. Arguments: pictures, input channels, output channels, height and width.

#include <benchmark/benchmark.h>

#include "engine/ops/conv/algorithm.h"
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

using Call = Tensor (*)(const Problem&);

Tensor forward(const Problem& p) { return conv2d(p.x, p.weight, {}, p.options); }
Tensor backward_x(const Problem& p) { return conv2d_backward_x(p.grad, p.weight, p.x.shape(), p.options); }
Tensor backward_weight(const Problem& p) { return conv2d_backward_weight(p.grad, p.x, p.weight.shape(), p.options); }

void run(benchmark::State& state, Call call, WinogradChoice choice) {
  const Problem problem = make_problem(state);
  const WinogradScope scope(choice);
  for (auto _ : state) benchmark::DoNotOptimize(call(problem));
  state.counters["GFLOP/s"] =
      benchmark::Counter(problem.flops * double(state.iterations()) * 1e-9, benchmark::Counter::kIsRate);
}

void shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"n", "in", "out", "side"})->Unit(benchmark::kMillisecond);
  bench->Args({16, 64, 64, 32})->Args({16, 128, 128, 16})->Args({16, 256, 256, 8});
  // of the study's UNet, whose channels fill vectors and a half
  bench->Args({16, 24, 24, 32})->Args({16, 72, 24, 32})->Args({16, 48, 48, 16});
  bench->Args({2, 320, 320, 64})->Args({2, 640, 640, 32})->Args({2, 1280, 1280, 16});
}

void conv2d_forward(benchmark::State& state) { run(state, forward, WinogradChoice::faster); }
void conv2d_x(benchmark::State& state) { run(state, backward_x, WinogradChoice::faster); }
void conv2d_weight(benchmark::State& state) { run(state, backward_weight, WinogradChoice::faster); }
BENCHMARK(conv2d_forward)->Apply(shapes);
BENCHMARK(conv2d_x)->Apply(shapes);
BENCHMARK(conv2d_weight)->Apply(shapes);

void direct_forward(benchmark::State& state) { run(state, forward, WinogradChoice::never); }
void direct_x(benchmark::State& state) { run(state, backward_x, WinogradChoice::never); }
void direct_weight(benchmark::State& state) { run(state, backward_weight, WinogradChoice::never); }
BENCHMARK(direct_forward)->Apply(shapes);
BENCHMARK(direct_x)->Apply(shapes);
BENCHMARK(direct_weight)->Apply(shapes);

void winograd_forward(benchmark::State& state) { run(state, forward, WinogradChoice::fitting); }
void winograd_x(benchmark::State& state) { run(state, backward_x, WinogradChoice::fitting); }
void winograd_weight(benchmark::State& state) { run(state, backward_weight, WinogradChoice::fitting); }
BENCHMARK(winograd_forward)->Apply(shapes);
BENCHMARK(winograd_x)->Apply(shapes);
BENCHMARK(winograd_weight)->Apply(shapes);

}  // namespace
