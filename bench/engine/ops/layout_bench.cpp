// Copies and changes of memory order by size, one thread: bytes_per_second counts what is read and written. Pictures of
// 320 channels, 32 x 32 pixels. Names: op/elements, about.

#include <benchmark/benchmark.h>

#include "engine/ops/layout/view.h"
#include "engine/parallel.h"

using namespace plumb;

namespace {

constexpr int64_t kChannels = 320, kSide = 32;

struct OneThread {
  OneThread() { set_num_threads(1); }
  ~OneThread() { set_num_threads(before); }
  int before = num_threads();
};

Tensor pictures(const benchmark::State& state) {
  Tensor x = empty({state.range(0) / (kChannels * kSide * kSide), kChannels, kSide, kSide});
  float* data = x.mutable_data<float>();
  for (int64_t i = 0; i < x.numel(); ++i) data[i] = float((i * 37) % 8191) * (8.0f / 8191.0f) - 4.0f;
  return x;
}

void set_traffic(benchmark::State& state, const Tensor& x) {
  state.SetBytesProcessed(state.iterations() * x.numel() * 2 * int64_t(sizeof(float)));
}

void copy(benchmark::State& state) {
  const OneThread one_thread;
  const Tensor x = full({state.range(0)}, 1.5);
  Tensor y = empty(x.shape());
  for (auto _ : state) y.copy_(x);
  set_traffic(state, x);
}

void nchw_to_nhwc(benchmark::State& state) {
  const OneThread one_thread;
  const Tensor x = pictures(state);
  for (auto _ : state) benchmark::DoNotOptimize(to_channels_last(x));
  set_traffic(state, x);
}

void nhwc_to_nchw(benchmark::State& state) {
  const OneThread one_thread;
  const Tensor x = to_channels_last(pictures(state));
  for (auto _ : state) benchmark::DoNotOptimize(x.contiguous());
  set_traffic(state, x);
}

void sizes(benchmark::internal::Benchmark* bench) { bench->Arg(1000000)->Arg(10000000); }

BENCHMARK(copy)->Apply(sizes);
BENCHMARK(nchw_to_nhwc)->Apply(sizes);
BENCHMARK(nhwc_to_nchw)->Apply(sizes);

}  // namespace
