#pragma once

#include <cstdint>

#include "engine/isa/reduce_kernels.h"
#include "engine/math.h"
#include "engine/ops/reduce/lanes.h"
#include "engine/ops/softmax/softmax_rows.h"
#include "engine/simd.h"

// Internal: what attention does between its products. Forward, a block holds a key a row and a query a column, so that
// every step is the same for all lanes; `width`, the columns, is a multiple of 64 bytes. Backward, a query a row.
// Compiled once an instruction set (engine/isa/kernels.h).

namespace plumb::PLUMB_ISA {
namespace {

/// scores *= scale, then scores = e^(score - largest) with the running state of each column brought up to date:
///   largest' = max(largest, scores),  correction = e^(largest - largest'),  total' = total correction + sum of exp
/// 32 keys are summed at a time and those sums in order.
template <class A>
[[gnu::flatten]] void attention_softmax(A* scores, int64_t keys, int64_t width, A scale,
                                        const AttentionState<A>* state) {
  using V = Register<A>;
  constexpr int64_t kStep = Lanes<A>::kPartCount, kSumBlock = 32;
  for (int64_t c = 0; c < width; c += kStep) {
    V before, largest[4], score;
    read<A>(before, state->largest + c);
    for (V& each : largest) each = before;
    int64_t i = 0;
    for (; i + 4 <= keys; i += 4)
      for (int64_t lane = 0; lane < 4; ++lane) {
        read<A>(score, scores + (i + lane) * width + c);
        score *= scale;
        largest[lane] = score > largest[lane] ? score : largest[lane];
      }
    for (; i < keys; ++i) {
      read<A>(score, scores + i * width + c);
      score *= scale;
      largest[0] = score > largest[0] ? score : largest[0];
    }
    for (int64_t lane = 1; lane < 4; ++lane) largest[0] = largest[lane] > largest[0] ? largest[lane] : largest[0];
    const V top = largest[0];
    V correction = before - top, total;
    exp_of_nonpositive(correction);
    read<A>(total, state->total + c);
    total *= correction;
    for (int64_t first = 0; first < keys; first += kSumBlock) {
      const int64_t end = first + kSumBlock < keys ? first + kSumBlock : keys;
      V sum{};
      for (int64_t row = first; row < end; ++row) {
        read<A>(score, scores + row * width + c);
        score = score * scale - top;
        exp_of_nonpositive(score);
        write<A>(scores + row * width + c, score);
        sum += score;
      }
      total += sum;
    }
    write<A>(state->largest + c, top);
    write<A>(state->total + c, total);
    write<A>(state->correction + c, correction);
  }
}

/// sums = sums * correction + part: rows of `width` columns.
template <class A>
[[gnu::flatten]] void attention_accumulate(A* sums, const A* part, const A* correction, int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; ++r)
    vector_loop(width,
                [=](int64_t c) { sums[r * width + c] = sums[r * width + c] * correction[c] + part[r * width + c]; });
}

/// One query: scores become p = e^(scale score - lse), grads (of p) become scale p (grad - delta).
template <class A>
[[gnu::flatten]] void attention_grad_row(A* scores, A* grads, int64_t keys, const AttentionGradRow<A>* row) {
  const A scale = row->scale, lse = row->lse, delta = row->delta;
  const auto step = [=]<class V>(V p, int64_t i) {
    V g;
    read<A>(p, scores + i);
    read<A>(g, grads + i);
    p = p * scale - lse;
    exp_of_nonpositive(p);
    g = (g - delta) * p * scale;
    write<A>(scores + i, p);
    write<A>(grads + i, g);
  };
  int64_t i = 0;
  for (; i + Lanes<A>::kPartCount <= keys; i += Lanes<A>::kPartCount) step(Register<A>{}, i);
  for (; i < keys; ++i) step(A{}, i);
}

template <class A>
[[gnu::flatten]] A attention_dot(const A* x, const A* y, int64_t n) {
  return dot_row(x, y, n);
}

template <class A>
constexpr AttentionRows<A> make_attention_rows() {
  return {attention_softmax<A>, attention_accumulate<A>, attention_grad_row<A>, attention_dot<A>};
}

}  // namespace
}  // namespace plumb::PLUMB_ISA
