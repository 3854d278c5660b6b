// Random draws by size, one thread: bytes_per_second counts what is written. Names: op/elements.

#include <benchmark/benchmark.h>

#include "engine/ops/random/random.h"
#include "engine/parallel.h"
#include "engine/random/generator.h"

using namespace plumb;

namespace {

// The first dimension counts samples, whose draws do not depend on each other.
constexpr RandomKey kKey{.seed = 3};

struct OneThread {
  OneThread() { set_num_threads(1); }
  ~OneThread() { set_num_threads(before); }
  int before = num_threads();
};

void set_traffic(benchmark::State& state) {
  state.SetBytesProcessed(state.iterations() * state.range(0) * int64_t(sizeof(float)));
}

void normals(benchmark::State& state) {
  const OneThread one_thread;
  for (auto _ : state) benchmark::DoNotOptimize(randn(kKey, {16, state.range(0) / 16}));
  set_traffic(state);
}

/// Points of the plane: a Philox block a row, half of it thrown away.
void points(benchmark::State& state) {
  const OneThread one_thread;
  for (auto _ : state) benchmark::DoNotOptimize(randn(kKey, {state.range(0) / 2, 2}));
  set_traffic(state);
}

void uniforms(benchmark::State& state) {
  const OneThread one_thread;
  for (auto _ : state) benchmark::DoNotOptimize(rand(kKey, {16, state.range(0) / 16}));
  set_traffic(state);
}

void torch_normals(benchmark::State& state) {
  Tensor out = empty({state.range(0)});
  const std::span<float> values(out.mutable_data<float>(), size_t(out.numel()));
  Generator generator(1);
  for (auto _ : state) generator.normal(values);
  set_traffic(state);
}

void sizes(benchmark::internal::Benchmark* bench) { bench->Arg(1000000)->Arg(10000000); }

BENCHMARK(normals)->Name("randn")->Apply(sizes);
BENCHMARK(points)->Name("randn_points")->Apply(sizes);
BENCHMARK(uniforms)->Name("rand")->Apply(sizes);
BENCHMARK(torch_normals)->Name("torch_randn")->Apply(sizes);

}  // namespace
