// Group norm and rms norm by size, one thread: bytes_per_second counts the least possible traffic (every operand and
// the result once). Pictures of 320 channels, 32 x 32 pixels, 32 groups. Names: op/elements, about; _nhwc: channels
// innermost in memory.

#include <benchmark/benchmark.h>

#include "engine/ops/layout/view.h"
#include "engine/ops/norm/group_norm.h"
#include "engine/ops/norm/rms_norm.h"
#include "engine/parallel.h"

using namespace plumb;

namespace {

constexpr int64_t kChannels = 320, kSide = 32, kWidth = 128;

struct OneThread {
  OneThread() { set_num_threads(1); }
  ~OneThread() { set_num_threads(before); }
  int before = num_threads();
};

/// Values spread over (-4, 4).
Tensor values(const Shape& shape, int64_t step) {
  Tensor x = empty(shape);
  float* data = x.mutable_data<float>();
  for (int64_t i = 0; i < x.numel(); ++i) data[i] = float((i * step) % 8191) * (8.0f / 8191.0f) - 4.0f;
  return x;
}

Tensor pictures(const benchmark::State& state, int64_t step, bool nhwc) {
  const Tensor x = values({state.range(0) / (kChannels * kSide * kSide), kChannels, kSide, kSide}, step);
  return nhwc ? to_channels_last(x) : x;
}

void set_traffic(benchmark::State& state, const Tensor& x, int64_t arrays) {
  state.SetBytesProcessed(state.iterations() * x.numel() * arrays * int64_t(sizeof(float)));
}

void forward(benchmark::State& state, bool silu, bool nhwc) {
  const OneThread one_thread;
  const Tensor x = pictures(state, 37, nhwc), weight = values({kChannels}, 5), bias = values({kChannels}, 7);
  for (auto _ : state) benchmark::DoNotOptimize(group_norm(x, weight, bias, {.groups = 32, .silu = silu}));
  set_traffic(state, x, 2);
}

void backward(benchmark::State& state, bool silu, bool nhwc) {
  const OneThread one_thread;
  const Tensor x = pictures(state, 37, nhwc), grad = pictures(state, 41, nhwc);
  const Tensor weight = values({kChannels}, 5), bias = values({kChannels}, 7);
  const GroupNormOptions options{.groups = 32, .silu = silu};
  const GroupNormSaved saved{x, group_norm(x, weight, bias, options).statistics, weight, bias};
  const GroupNormWanted all{.x = true, .weight = true, .bias = true};
  for (auto _ : state) benchmark::DoNotOptimize(group_norm_backward(grad, saved, options, all));
  set_traffic(state, x, 3);
}

void rms_forward(benchmark::State& state) {
  const OneThread one_thread;
  const Tensor x = values({state.range(0) / kWidth, kWidth}, 37), weight = ones({kWidth});
  for (auto _ : state) benchmark::DoNotOptimize(rms_norm(x, {kWidth}, weight));
  set_traffic(state, x, 2);
}

void sizes(benchmark::internal::Benchmark* bench) { bench->Arg(1000000)->Arg(10000000); }

BENCHMARK_CAPTURE(forward, group_norm, false, false)->Name("group_norm")->Apply(sizes);
BENCHMARK_CAPTURE(forward, group_norm_nhwc, false, true)->Name("group_norm_nhwc")->Apply(sizes);
BENCHMARK_CAPTURE(forward, group_norm_silu, true, false)->Name("group_norm_silu")->Apply(sizes);
BENCHMARK_CAPTURE(forward, group_norm_silu_nhwc, true, true)->Name("group_norm_silu_nhwc")->Apply(sizes);
BENCHMARK_CAPTURE(backward, group_norm_backward, false, false)->Name("group_norm_backward")->Apply(sizes);
BENCHMARK_CAPTURE(backward, group_norm_backward_nhwc, false, true)->Name("group_norm_backward_nhwc")->Apply(sizes);
BENCHMARK_CAPTURE(backward, group_norm_silu_backward, true, false)->Name("group_norm_silu_backward")->Apply(sizes);
BENCHMARK_CAPTURE(backward, group_norm_silu_backward_nhwc, true, true)
    ->Name("group_norm_silu_backward_nhwc")
    ->Apply(sizes);
BENCHMARK(rms_forward)->Name("rms_norm")->Apply(sizes);

}  // namespace
