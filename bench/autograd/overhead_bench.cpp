// What an op costs beside its arithmetic: tensors of 2x2.

#include <benchmark/benchmark.h>

#include "autograd/backward.h"
#include "autograd/ops/elementwise.h"

using namespace plumb;

namespace {

void add_recorded(benchmark::State& state) {
  const Variable x = Variable::leaf(full({2, 2}, 1)), y = Variable::leaf(full({2, 2}, 2));
  for (auto _ : state) benchmark::DoNotOptimize(add(x, y));
}

void add_constant(benchmark::State& state) {
  const Variable x = full({2, 2}, 1), y = full({2, 2}, 2);
  for (auto _ : state) benchmark::DoNotOptimize(add(x, y));
}

constexpr int kChain = 100;

/// Forward and backward of a chain. A batch of kChain iterations is one chain, so that the time reported is that of one
/// op.
template <class Step>
void chain(benchmark::State& state, Step step) {
  Variable x = Variable::leaf(full({2, 2}, 1));
  const Tensor grad = ones({2, 2});
  while (state.KeepRunningBatch(kChain)) {
    Variable y = x;
    for (int i = 0; i < kChain; ++i) y = step(y);
    backward(y, {.grad = grad});
    x.zero_grad();
  }
}

void chain_add(benchmark::State& state) {
  const Variable one(full({2, 2}, 1));
  chain(state, [&](const Variable& y) { return add(y, one); });
}
void chain_mul(benchmark::State& state) {
  const Variable one(full({2, 2}, 1));
  chain(state, [&](const Variable& y) { return mul(y, one); });
}
void chain_silu(benchmark::State& state) {
  chain(state, [](const Variable& y) { return silu(y); });
}

const bool registered = [] {
  benchmark::RegisterBenchmark("add_2x2_constant", add_constant);
  benchmark::RegisterBenchmark("add_2x2_recorded", add_recorded);
  benchmark::RegisterBenchmark("chain_100_per_op", chain_add);
  benchmark::RegisterBenchmark("chain_100_mul_per_op", chain_mul);
  benchmark::RegisterBenchmark("chain_100_silu_per_op", chain_silu);
  return true;
}();

}  // namespace
