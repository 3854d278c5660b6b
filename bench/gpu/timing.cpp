#include "bench/gpu/timing.h"

#include "engine/cuda/stream.h"
#include "engine/ops/layout/view.h"
#include "engine/ops/random/random.h"

namespace plumb::bench {

void time_on_device(benchmark::State& state, int64_t calls, const std::function<void(int64_t set)>& call) {
  for (int64_t set = 0; set < 3; ++set) call(set);  // plans, libraries and the allocator's cache
  CudaEvent begin(kCuda, true), end(kCuda, true);
  for (auto _ : state) {
    begin.record();
    for (int64_t set = 0; set < calls; ++set) call(set);
    end.record();
    end.wait();
    state.SetIterationTime(double(begin.elapsed_ms(end)) * 1e-3 / double(calls));
  }
}

void count_bytes(benchmark::State& state, double bytes) {
  state.counters["GB/s"] = benchmark::Counter(bytes * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

void count_flops(benchmark::State& state, double flops) {
  state.counters["TFLOP/s"] = benchmark::Counter(flops * 1e-12, benchmark::Counter::kIsIterationInvariantRate);
}

Tensor values(const Shape& shape, DType dtype, uint64_t seed) {
  return randn(RandomKey{.seed = seed}, shape, dtype, kCuda);
}

Tensor pictures(const Shape& shape, DType dtype, uint64_t seed) { return to_channels_last(values(shape, dtype, seed)); }

}  // namespace plumb::bench
