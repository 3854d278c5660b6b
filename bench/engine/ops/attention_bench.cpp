// Attention on one thread: GFLOP/s of the products' 2 Tq Tk (d + dv) operations a head forward, and of five such
// products (two of them to form the probabilities and their gradients again) backward. [B, heads, T, d].

#include "engine/ops/attention/attention.h"

#include <benchmark/benchmark.h>

#include "engine/parallel.h"

namespace {

using namespace plumb;

/// Values spread over (-1, 1): scores of ordinary size.
Tensor operand(const benchmark::State& state, int64_t step) {
  Tensor x = empty({state.range(0), state.range(1), state.range(2), state.range(3)});
  float* data = x.mutable_data<float>();
  for (int64_t i = 0; i < x.numel(); ++i) data[i] = float((i * step) % 8191) * (2.0f / 8191.0f) - 1.0f;
  return x;
}

void report(benchmark::State& state, double products) {
  const double scores = double(state.range(0) * state.range(1) * state.range(2)) * double(state.range(2));
  const double flops = 2 * products * scores * double(state.range(3)) * double(state.iterations());
  state.counters["GFLOP/s"] = benchmark::Counter(flops / 1e9, benchmark::Counter::kIsRate);
}

void attention_forward(benchmark::State& state) {
  set_num_threads(1);
  const Tensor q = operand(state, 37), k = operand(state, 41), v = operand(state, 43);
  for (auto _ : state) benchmark::DoNotOptimize(attention(q, k, v));
  report(state, 2);
}

void attention_backward_all(benchmark::State& state) {
  set_num_threads(1);
  const Tensor q = operand(state, 37), k = operand(state, 41), v = operand(state, 43), g = operand(state, 47);
  const AttentionForward forward{q, k, v, attention(q, k, v), {}};
  for (auto _ : state) benchmark::DoNotOptimize(attention_backward(g, forward));
  report(state, 5);
}

void shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"B", "heads", "T", "d"});
  bench->Args({16, 4, 64, 32})->Args({2, 8, 1024, 40})->Args({1, 8, 4096, 40})->Args({2, 8, 256, 160});
}

BENCHMARK(attention_forward)->Apply(shapes);
BENCHMARK(attention_backward_all)->Apply(shapes);

}  // namespace
