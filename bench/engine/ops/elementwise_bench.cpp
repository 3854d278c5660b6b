// Elementwise ops by size: bytes_per_second counts the least possible traffic (every operand and the result once).
// Names as in bench/README.md: op/elements.

#include <benchmark/benchmark.h>

#include "engine/isa/kernels.h"
#include "engine/ops/elementwise/binary.h"
#include "engine/ops/elementwise/compare.h"
#include "engine/ops/elementwise/select.h"
#include "engine/ops/elementwise/unary.h"
#include "engine/parallel.h"

using namespace plumb;

namespace {

/// The stated bounds are those of one core.
struct OneThread {
  OneThread() { set_num_threads(1); }
  ~OneThread() { set_num_threads(before); }
  int before = num_threads();
};

/// Values spread over (-4, 4).
Tensor values(int64_t count, int64_t step) {
  Tensor x = empty({count});
  float* data = x.mutable_data<float>();
  for (int64_t i = 0; i < count; ++i) data[i] = float((i * step) % 8191) * (8.0f / 8191.0f) - 4.0f;
  return x;
}

void set_traffic(benchmark::State& state, int64_t arrays) {
  state.SetBytesProcessed(state.iterations() * state.range(0) * arrays * int64_t(sizeof(float)));
}

void unary(benchmark::State& state, Tensor (*op)(const Tensor&)) {
  const OneThread one_thread;
  const Tensor x = values(state.range(0), 37);
  for (auto _ : state) benchmark::DoNotOptimize(op(x));
  set_traffic(state, 2);
}

void binary(benchmark::State& state, Tensor (*op)(const Tensor&, const Tensor&)) {
  const OneThread one_thread;
  const Tensor x = values(state.range(0), 37), y = values(state.range(0), 41);
  for (auto _ : state) benchmark::DoNotOptimize(op(x, y));
  set_traffic(state, 3);
}

/// x: [rows, 128] with a row, or with a column.
void broadcast(benchmark::State& state, bool column) {
  const OneThread one_thread;
  const int64_t rows = state.range(0) / 128;
  const Tensor x = values(rows * 128, 37).view_as({rows, 128}, {128, 1}, 0);
  const Tensor y = column ? values(rows, 41).view_as({rows, 1}, {1, 1}, 0) : values(128, 41);
  for (auto _ : state) benchmark::DoNotOptimize(mul(x, y));
  set_traffic(state, 2);
}

void tiny_add(benchmark::State& state) {
  const Tensor x = full({2, 2}, 1), y = full({2, 2}, 2);
  for (auto _ : state) benchmark::DoNotOptimize(add(x, y));
}

void tiny_scalar(benchmark::State& state) {
  const Tensor x = full({2, 2}, 1);
  for (auto _ : state) benchmark::DoNotOptimize(mul(x, 0.5));
}

void tiny_empty(benchmark::State& state) {
  const Shape shape{2, 2};
  for (auto _ : state) benchmark::DoNotOptimize(empty(shape));
}

constexpr int64_t kSizes[] = {1000, 65536, 1000000, 10000000};

template <class F, class Op>
void enlist(const char* name, F body, Op op) {
  auto* bench = benchmark::RegisterBenchmark(name, body, op);
  for (int64_t size : kSizes) bench->Arg(size);
}

const bool registered = [] {
  benchmark::AddCustomContext("isa", isa_name());
  benchmark::RegisterBenchmark("empty_2x2", tiny_empty);
  benchmark::RegisterBenchmark("add_2x2", tiny_add);
  benchmark::RegisterBenchmark("mul_scalar_2x2", tiny_scalar);
  using Binary = Tensor (*)(const Tensor&, const Tensor&);
  enlist("add", binary, static_cast<Binary>(add));
  enlist("mul_row", broadcast, false);
  enlist("mul_column", broadcast, true);
  enlist("gt", binary, static_cast<Binary>(gt));
  enlist("exp", unary, exp);
  enlist("log", unary, log);
  enlist("tanh", unary, tanh);
  enlist("sigmoid", unary, sigmoid);
  enlist("softplus", unary, softplus);
  enlist("sin", unary, sin);
  enlist("silu", unary, silu);
  enlist("silu_backward", binary, silu_backward);
  enlist(
      "gelu", unary, +[](const Tensor& x) { return gelu(x); });
  enlist(
      "gelu_tanh", unary, +[](const Tensor& x) { return gelu(x, GeluForm::tanh); });
  enlist(
      "gelu_backward", binary, +[](const Tensor& grad, const Tensor& x) { return gelu_backward(grad, x); });
  enlist("tanh_backward", binary, tanh_backward);
  enlist(
      "clamp", unary, +[](const Tensor& x) { return clamp(x, {.min = -1, .max = 1}); });
  return true;
}();

}  // namespace
