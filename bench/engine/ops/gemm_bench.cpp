// Single products on one thread: GFLOP/s, and the share of the machine's multiply-add peak when PLUMB_PEAK_GFLOPS names
// it. Shapes are those of the toy network, of attention projections and of square matrices. "nt" is linear's layout
// (weight [out, in]), "nn" its input gradient's, "tn" its weight gradient's; "gemm" is what the program runs, "blas"
// the library's product beside it.

#include <benchmark/benchmark.h>

#include <cstdlib>

#include "engine/blas.h"
#include "engine/gemm.h"
#include "engine/ops/linalg/linear.h"
#include "engine/ops/linalg/matmul.h"
#include "engine/packed_matrix.h"
#include "engine/parallel.h"
#include "engine/tensor.h"

namespace {

using namespace plumb;

void report(benchmark::State& state, const GemmSize& size) {
  using benchmark::Counter;
  const double flops = 2 * double(size.m) * double(size.n) * double(size.k) * double(state.iterations());
  state.counters["GFLOP/s"] = Counter(flops / 1e9, Counter::kIsRate);
  if (const char* peak = std::getenv("PLUMB_PEAK_GFLOPS"))
    state.counters["of_peak"] = Counter(flops / 1e9 / std::atof(peak), Counter::kIsRate);
}

using Product = void (*)(const GemmSize&, const MatrixView<float>&, const MatrixView<float>&, const GemmTarget<float>&);

void product_of(benchmark::State& state, Product product, bool turn_a, bool turn_b) {
  set_num_threads(1);
  const GemmSize size{state.range(0), state.range(1), state.range(2)};
  const Tensor a = full({size.m, size.k}, 0.5), b = full({size.k, size.n}, 0.25);
  Tensor c = empty({size.m, size.n});
  const MatrixView<float> left{a.data<float>(), turn_a ? size.m : size.k, turn_a};
  const MatrixView<float> right{b.data<float>(), turn_b ? size.k : size.n, turn_b};
  for (auto _ : state) {
    product(size, left, right, {.data = c.mutable_data<float>(), .ld = size.n});
    benchmark::ClobberMemory();
  }
  report(state, size);
}

void gemm_nn(benchmark::State& state) { product_of(state, gemm<float>, false, false); }
void gemm_nt(benchmark::State& state) { product_of(state, gemm<float>, false, true); }
void gemm_tn(benchmark::State& state) { product_of(state, gemm<float>, true, false); }
void blas_nn(benchmark::State& state) { product_of(state, blas_gemm<float>, false, false); }
void blas_nt(benchmark::State& state) { product_of(state, blas_gemm<float>, false, true); }
void blas_tn(benchmark::State& state) { product_of(state, blas_gemm<float>, true, false); }

/// b packed beforehand.
void gemm_prepacked(benchmark::State& state) {
  set_num_threads(1);
  const GemmSize size{state.range(0), state.range(1), state.range(2)};
  const Tensor a = full({size.m, size.k}, 0.5), b = full({size.k, size.n}, 0.25);
  const PackedMatrix packed({b.data<float>(), size.n}, size.k, size.n);
  Tensor c = empty({size.m, size.n});
  for (auto _ : state) {
    gemm(size.m, {a.data<float>(), size.k}, packed, {.data = c.mutable_data<float>(), .ld = size.n});
    benchmark::ClobberMemory();
  }
  report(state, size);
}

/// linear with bias: what the fused bias costs beside gemm_nt.
void linear_bias(benchmark::State& state) {
  set_num_threads(1);
  const GemmSize size{state.range(0), state.range(1), state.range(2)};
  const Tensor x = full({size.m, size.k}, 0.5), weight = full({size.n, size.k}, 0.25), bias = ones({size.n});
  for (auto _ : state) benchmark::DoNotOptimize(linear(x, weight, bias));
  report(state, size);
}

/// The same with SiLU and its derivative taken of the tile, as a training step does.
void linear_silu(benchmark::State& state) {
  set_num_threads(1);
  const GemmSize size{state.range(0), state.range(1), state.range(2)};
  const Tensor x = full({size.m, size.k}, 0.5), weight = full({size.n, size.k}, 0.25), bias = ones({size.n});
  for (auto _ : state) {
    Tensor derivative;
    benchmark::DoNotOptimize(linear_act(x, weight, bias, FusedActivation::silu, derivative));
  }
  report(state, size);
}

/// [batch, m, k] times [batch, k, n]: the products of attention without a kernel of its own.
void matmul_batched(benchmark::State& state) {
  set_num_threads(1);
  const int64_t batch = state.range(0);
  const GemmSize size{state.range(1), state.range(2), state.range(3)};
  const Tensor a = full({batch, size.m, size.k}, 0.5), b = full({batch, size.k, size.n}, 0.25);
  for (auto _ : state) benchmark::DoNotOptimize(matmul(a, b));
  report(state, {batch * size.m, size.n, size.k});
}

/// The column sum behind the bias gradient; bytes are those of the gradient.
void bias_gradient(benchmark::State& state) {
  set_num_threads(1);
  const Tensor grad = full({state.range(0), state.range(1)}, 0.5);
  for (auto _ : state) benchmark::DoNotOptimize(linear_backward_bias(grad));
  state.SetBytesProcessed(state.iterations() * grad.numel() * 4);
}

void shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"m", "n", "k"});
  for (const GemmSize& s :
       {GemmSize{512, 128, 128}, GemmSize{64, 128, 128}, GemmSize{512, 2, 128}, GemmSize{512, 128, 2},
        GemmSize{128, 128, 512}, GemmSize{2, 128, 512}, GemmSize{16, 1280, 320}, GemmSize{4096, 320, 320},
        GemmSize{4096, 1280, 320}, GemmSize{1024, 1024, 1024}, GemmSize{2048, 2048, 2048}})
    bench->Args({s.m, s.n, s.k});
}

BENCHMARK(gemm_nn)->Apply(shapes);
BENCHMARK(blas_nn)->Apply(shapes);
BENCHMARK(gemm_nt)->Apply(shapes);
BENCHMARK(blas_nt)->Apply(shapes);
BENCHMARK(gemm_tn)->Apply(shapes);
BENCHMARK(gemm_prepacked)->Apply(shapes);
BENCHMARK(blas_tn)->Apply(shapes);
BENCHMARK(linear_bias)->Apply(shapes);
BENCHMARK(linear_silu)->Apply(shapes);
BENCHMARK(matmul_batched)
    ->ArgNames({"batch", "m", "n", "k"})
    ->Args({256, 16, 16, 16})
    ->Args({64, 64, 64, 32})
    ->Args({16, 32, 32, 1024})
    ->Args({16, 1024, 32, 32});
BENCHMARK(bias_gradient)->ArgNames({"rows", "columns"})->Args({512, 128})->Args({512, 2})->Args({8192, 512});

}  // namespace
