// Reductions, softmax, layer norm and losses by size: bytes_per_second counts the least possible traffic (every operand
// and the result once). Rows of 128 elements. Names as in bench/README.md: op/elements.

#include <benchmark/benchmark.h>

#include "engine/ops/loss/sample_error.h"
#include "engine/ops/norm/layer_norm.h"
#include "engine/ops/reduce/extremum.h"
#include "engine/ops/reduce/sum.h"
#include "engine/ops/reduce/variance.h"
#include "engine/ops/softmax/softmax.h"
#include "engine/parallel.h"

using namespace plumb;

namespace {

constexpr int64_t kWidth = 128;

/// The stated bounds are those of one core; CPU time then also means something on a busy machine.
struct OneThread {
  OneThread() { set_num_threads(1); }
  ~OneThread() { set_num_threads(before); }
  int before = num_threads();
};

/// [elements / 128, 128] of values spread over (-4, 4).
Tensor rows_of(const benchmark::State& state, int64_t step) {
  const int64_t rows = state.range(0) / kWidth;
  Tensor x = empty({rows, kWidth});
  float* data = x.mutable_data<float>();
  for (int64_t i = 0; i < x.numel(); ++i) data[i] = float((i * step) % 8191) * (8.0f / 8191.0f) - 4.0f;
  return x;
}

void set_traffic(benchmark::State& state, int64_t arrays) {
  state.SetBytesProcessed(state.iterations() * (state.range(0) / kWidth) * kWidth * arrays * int64_t(sizeof(float)));
}

void reduce(benchmark::State& state, Tensor (*op)(const Tensor&, const Dims&, bool), Dims dims) {
  const OneThread one_thread;
  const Tensor x = rows_of(state, 37);
  for (auto _ : state) benchmark::DoNotOptimize(op(x, dims, false));
  set_traffic(state, 1);
}

void variance(benchmark::State& state, Dims dims) {
  const OneThread one_thread;
  const Tensor x = rows_of(state, 37);
  for (auto _ : state) benchmark::DoNotOptimize(var(x, dims));
  set_traffic(state, 1);
}

void softmax_forward(benchmark::State& state, Tensor (*op)(const Tensor&, int64_t)) {
  const OneThread one_thread;
  const Tensor x = rows_of(state, 37);
  for (auto _ : state) benchmark::DoNotOptimize(op(x, 1));
  set_traffic(state, 2);
}

void softmax_gradient(benchmark::State& state) {
  const OneThread one_thread;
  const Tensor y = softmax(rows_of(state, 37), 1), grad = rows_of(state, 41);
  for (auto _ : state) benchmark::DoNotOptimize(softmax_backward(grad, y, 1));
  set_traffic(state, 3);
}

void layer_norm_forward(benchmark::State& state) {
  const OneThread one_thread;
  const Tensor x = rows_of(state, 37), weight = ones({kWidth}), bias = zeros({kWidth});
  for (auto _ : state) benchmark::DoNotOptimize(layer_norm(x, {kWidth}, weight, bias));
  set_traffic(state, 2);
}

void layer_norm_gradient(benchmark::State& state) {
  const OneThread one_thread;
  const Tensor x = rows_of(state, 37), grad = rows_of(state, 41), weight = ones({kWidth}), bias = zeros({kWidth});
  const LayerNormResult forward = layer_norm(x, {kWidth}, weight, bias);
  const LayerNormWanted all = {.x = true, .weight = true, .bias = true};
  for (auto _ : state) benchmark::DoNotOptimize(layer_norm_backward(grad, x, forward, weight, {kWidth}, all));
  set_traffic(state, 3);
}

void squared_error(benchmark::State& state, Tensor (*op)(const Tensor&, const Tensor&, Reduction)) {
  const OneThread one_thread;
  const Tensor pred = rows_of(state, 37), target = rows_of(state, 41);
  for (auto _ : state) benchmark::DoNotOptimize(op(pred, target, Reduction::mean));
  set_traffic(state, 2);
}

void squared_error_gradient(benchmark::State& state) {
  const OneThread one_thread;
  const Tensor pred = rows_of(state, 37), target = rows_of(state, 41), grad = scalar(1);
  for (auto _ : state) benchmark::DoNotOptimize(mse_backward(grad, pred, target, Reduction::mean, true, false).pred);
  set_traffic(state, 3);
}

void sizes(benchmark::internal::Benchmark* bench) { bench->Arg(1000000)->Arg(10000000); }

BENCHMARK_CAPTURE(reduce, sum, sum, Dims{})->Name("sum")->Apply(sizes);
BENCHMARK_CAPTURE(reduce, sum_rows, sum, Dims{1})->Name("sum_rows")->Apply(sizes);
BENCHMARK_CAPTURE(reduce, sum_columns, sum, Dims{0})->Name("sum_columns")->Apply(sizes);
BENCHMARK_CAPTURE(reduce, max, max, Dims{})->Name("max")->Apply(sizes);
BENCHMARK_CAPTURE(variance, var, Dims{})->Name("var")->Apply(sizes);
BENCHMARK_CAPTURE(variance, var_rows, Dims{1})->Name("var_rows")->Apply(sizes);
BENCHMARK_CAPTURE(softmax_forward, softmax, softmax)->Name("softmax")->Apply(sizes);
BENCHMARK_CAPTURE(softmax_forward, log_softmax, log_softmax)->Name("log_softmax")->Apply(sizes);
BENCHMARK(softmax_gradient)->Name("softmax_backward")->Apply(sizes);
BENCHMARK(layer_norm_forward)->Name("layer_norm")->Apply(sizes);
BENCHMARK(layer_norm_gradient)->Name("layer_norm_backward")->Apply(sizes);
BENCHMARK_CAPTURE(squared_error, mse, mse)->Name("mse")->Apply(sizes);
BENCHMARK_CAPTURE(squared_error, sample_error, sample_error)->Name("sample_error")->Apply(sizes);
BENCHMARK(squared_error_gradient)->Name("mse_backward")->Apply(sizes);

void tiny_sum(benchmark::State& state) {
  const OneThread one_thread;
  const Tensor x = full({2, 2}, 1);
  for (auto _ : state) benchmark::DoNotOptimize(sum(x));
}
BENCHMARK(tiny_sum)->Name("sum/4");

}  // namespace
