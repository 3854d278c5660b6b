#include <doctest/doctest.h>

#include <cmath>

#include "engine/ops/attention/attention_reference.h"
#include "engine/ops/attention/attention_tiles.h"
#include "engine/ops/layout/view.h"
#include "tests/engine/cuda/both_orders.h"
#include "tests/support/cuda_emulator/dnn.h"
#include "tests/support/numeric.h"

namespace plumb {
namespace {

double tolerance_of(DType dtype) { return dtype == DType::f64 ? 1e-12 : dtype == DType::f32 ? 1e-5 : 1e-2; }

struct Sizes {
  int64_t batch, heads, queries, keys, depth, value_depth;
};

/// Heads side by side in a row, as projections leave them: [B, H, T, d] with rows that are not next to each other.
Tensor by_head(const Sizes& s, int64_t rows, int64_t width, uint64_t seed, DType dtype) {
  return permute(test::random_tensor({s.batch, rows, s.heads, width}, seed, dtype), {0, 2, 1, 3});
}

Tensor poisoned(const Shape& shape, DType dtype) { return full(shape, std::nan(""), dtype); }

/// Against the largest element: the gradients are differences of larger numbers, whose rounding they carry.
void check_close(const Tensor& actual, const Tensor& expected, DType dtype) {
  double largest = 1;
  for (double each : expected.to_vector<double>()) largest = std::max(largest, std::abs(each));
  Tensor scaled = actual.to(DType::f64).clone(), reference = expected.to(DType::f64).clone();
  scaled.mul_(1 / largest);
  reference.mul_(1 / largest);
  CHECK(test::worst_error(scaled, reference.to_vector<double>()) <= tolerance_of(dtype));
}

struct Case {
  Tensor q, k, v, grad;
  AttentionOptions options;
  AttentionSetting setting;
  AttentionResult expected;
  AttentionGrads expected_grads;

  Case(const Sizes& s, DType dtype, bool causal)
      : q(by_head(s, s.queries, s.depth, 1, dtype)),
        k(by_head(s, s.keys, s.depth, 2, dtype)),
        v(by_head(s, s.keys, s.value_depth, 3, dtype)),
        grad(by_head(s, s.queries, s.value_depth, 4, dtype)),
        options{causal, {}},
        setting{causal, 1 / std::sqrt(double(s.depth))},
        expected(reference::attention(q, k, v, options)),
        expected_grads(reference::attention_backward(grad, q, k, v, options)) {}

  DType dtype() const { return q.dtype(); }
  Shape out_shape() const { return {q.shape()[0], q.shape()[1], q.shape()[2], v.shape()[3]}; }
  AttentionOperands operands() const {
    return {grad, q, k, v, expected.out.to(dtype()), expected.lse.to(acc_dtype(dtype()))};
  }

  template <class F>
  void check_forward(F&& kernel) const {
    AttentionResult actual{poisoned(out_shape(), dtype()),
                           poisoned({q.shape()[0], q.shape()[1], q.shape()[2]}, acc_dtype(dtype()))};
    kernel(actual);
    check_close(actual.out, expected.out, dtype());
    check_close(actual.lse, expected.lse, dtype());
  }
  template <class F>
  void check_backward(AttentionWanted wanted, F&& kernel) const {
    AttentionGrads actual;
    if (wanted.q) actual.q = zeros(q.shape(), dtype());
    if (wanted.k) actual.k = poisoned(k.shape(), dtype());
    if (wanted.v) actual.v = poisoned(v.shape(), dtype());
    kernel(actual);
    if (wanted.q) check_close(actual.q, expected_grads.q, dtype());
    if (wanted.k) check_close(actual.k, expected_grads.k, dtype());
    if (wanted.v) check_close(actual.v, expected_grads.v, dtype());
  }
};

constexpr DType kTypes[] = {DType::f32, DType::f64, DType::bf16, DType::f16};

}  // namespace

TEST_CASE("attention on cuda by tiles: sizes around the tiles', every dtype, both masks, forward and backward") {
  for (const Sizes& s : {Sizes{1, 1, 1, 1, 1, 1}, Sizes{2, 3, 5, 7, 3, 2}, Sizes{1, 2, 65, 40, 40, 40},
                         Sizes{1, 1, 33, 130, 33, 70}, Sizes{1, 1, 17, 9, 64, 200}})
    for (DType dtype : kTypes)
      for (const bool causal : {false, true}) {
        CAPTURE(s.queries);
        const Case c(s, dtype, causal);
        const auto run = [&] {
          c.check_forward([&](AttentionResult& to) { attention_tiles(Cuda{}, c.q, c.k, c.v, c.setting, to); });
          c.check_backward({},
                           [&](AttentionGrads& to) { attention_tiles_backward(Cuda{}, c.operands(), c.setting, to); });
        };
        dtype == DType::f32&& s.queries < 60 ? test::in_both_orders(run) : run();
      }
}

TEST_CASE("attention on cuda by tiles: rows wider than a block's, and gradients of some operands only") {
  const Case wide({1, 1, 3, 5, 300, 290}, DType::f32, false);
  wide.check_forward([&](AttentionResult& to) { attention_tiles(Cuda{}, wide.q, wide.k, wide.v, wide.setting, to); });
  for (const AttentionWanted wanted : {AttentionWanted{true, false, false}, AttentionWanted{false, true, false},
                                       AttentionWanted{false, false, true}, AttentionWanted{}})
    wide.check_backward(
        wanted, [&](AttentionGrads& to) { attention_tiles_backward(Cuda{}, wide.operands(), wide.setting, to); });
}

TEST_CASE("attention on cuda: scores far apart, and a scale of 1e4") {
  Case c({1, 1, 4, 40, 8, 8}, DType::f32, false);
  c.options.scale = c.setting.scale = 1e4;
  c.expected = reference::attention(c.q, c.k, c.v, c.options);
  AttentionResult actual{poisoned(c.out_shape(), DType::f32), poisoned({1, 1, 4}, DType::f32)};
  attention_tiles(Cuda{}, c.q, c.k, c.v, c.setting, actual);
  CHECK(test::worst_error(actual.lse, c.expected.lse.to_vector<double>()) <= 1e-5);
  for (double each : actual.out.to_vector<double>()) CHECK(std::abs(each) <= 2);
}

TEST_CASE("attention on cuda as cuDNN is asked for it, and what is not for cuDNN") {
  const auto asks = [](const Sizes& s, DType dtype, bool causal) {
    const Case c(s, dtype, causal);
    const int before = emulator::dnn_calls();
    c.check_forward([&](AttentionResult& to) { attention_kernel(Cuda{}, c.q, c.k, c.v, c.setting, to); });
    for (const AttentionWanted wanted : {AttentionWanted{}, AttentionWanted{true, false, true}})
      c.check_backward(wanted,
                       [&](AttentionGrads& to) { attention_backward_kernel(Cuda{}, c.operands(), c.setting, to); });
    return emulator::dnn_calls() - before;
  };
  CHECK(asks({2, 3, 5, 7, 8, 16}, DType::bf16, false) == 3);
  CHECK(asks({2, 1, 9, 2, 40, 40}, DType::f16, false) == 3);
  CHECK(asks({2, 3, 5, 7, 8, 16}, DType::f32, false) == 0);
  CHECK(asks({2, 3, 5, 7, 8, 16}, DType::bf16, true) == 0);
  CHECK(asks({2, 3, 5, 1, 8, 16}, DType::bf16, false) == 0);   // a single key
  CHECK(asks({2, 3, 5, 7, 12, 16}, DType::bf16, false) == 0);  // rows that are not whole 16-byte pieces
  emulator::set_dnn_refusal(emulator::Refusal::all);
  CHECK(asks({2, 3, 5, 7, 8, 16}, DType::bf16, false) == 0);
  emulator::set_dnn_refusal(emulator::Refusal::none);
}

TEST_CASE("attention on cuda of fewer batch dimensions, and of more than cuDNN takes") {
  for (const Shape& lead : {Shape{}, Shape{3}, Shape{2, 1, 3}}) {
    const auto made = [&](int64_t rows, int64_t width, uint64_t seed) {
      Shape shape = lead;
      shape.push_back(rows);
      shape.push_back(width);
      return test::random_tensor(shape, seed, DType::bf16);
    };
    const Tensor q = made(5, 8, 1), k = made(7, 8, 2), v = made(7, 16, 3);
    Shape rows = lead;
    rows.push_back(5);
    const AttentionResult expected = reference::attention(q, k, v, {false, 0.4});
    AttentionResult actual{poisoned(expected.out.shape(), DType::bf16), poisoned(rows, DType::f32)};
    attention_kernel(Cuda{}, q, k, v, {false, 0.4}, actual);
    check_close(actual.out, expected.out, DType::bf16);
    check_close(actual.lse, expected.lse, DType::bf16);
  }
}

}  // namespace plumb
