// Every result of attention is rows of sums of weighted rows,
//   out = p v,   dq = ds k,   dk = ds^T q,   dv = p^T grad,
// so one kernel makes all four. A block keeps a tile of a head's result in registers and walks over the rows that are
// summed, a tile at a time: it forms the tile of scores (and, for ds, of grad v^T) from chunks of their rows in shared
// memory, turns them into weights there, and adds the weighted rows. Forward, the softmax is normalised as it comes
// [Milakov & Gimelshein 2018]; backward, it is formed again from lse, with ds = scale p (grad v^T - rowsum(grad out)).
// Nothing of Tq x Tk is stored, every sum has a fixed order, and no two blocks write the same place. dq, dk and dv each
// form the scores anew: an eighth more work than sharing them between dk and dv, and half the registers.
// 256 threads as 16 x 16; thread (i, j) has rows i, i + 16, ... and columns j, j + 16, ... of a tile. Sums in float,
// for f64 in double, with tiles half as high to fit 48 KiB. A result wider than kChunks chunks takes several blocks.

#include <cmath>
#include <utility>

#include "engine/cuda/element.cuh"
#include "engine/cuda/sums.cuh"
#include "engine/math.h"
#include "engine/ops/attention/attention_tiles.h"

namespace plumb {
namespace {

constexpr int kSide = 16, kThreadsOfBlock = kSide * kSide;
constexpr int kChunk = 32;  // elements of a row that are in shared memory at a time

/// a b + c rounded once: asked for by name, as the build contracts nothing by itself.
__device__ inline float multiply_add(float a, float b, float c) { return fmaf(a, b, c); }
__device__ inline double multiply_add(double a, double b, double c) { return fma(a, b, c); }

/// A [..., rows, width] operand.
struct Matrices {
  const void* data = nullptr;
  DType dtype = DType::f32;
  int64_t row = 0, width = 0;
  int64_t strides[kMaxRank] = {};
};

/// What both directions share: the sizes, and where a head's matrices start.
struct Problem {
  int64_t queries, keys;
  int lead;  // batch dimensions
  int64_t sizes[kMaxRank];
  bool causal;
  double scale;

  __device__ int64_t start_of(const Matrices& x, int64_t head) const {
    int64_t at = 0;
    for (int d = lead - 1; d >= 0; --d) {
      const int64_t quotient = head / sizes[d];
      at += (head - quotient * sizes[d]) * x.strides[d];
      head = quotient;
    }
    return at;
  }
};

enum class Pass { out, grad_q, grad_k, grad_v };

/// lse and delta, rowsum(grad out), are [heads, Tq]; lse is written by the forward.
template <class A>
struct Arguments {
  Matrices q, k, v, grad;
  A *lse, *delta;
  void* to;
  DType to_dtype;
};

/// A row of shared memory is one element longer than what it holds, so that a column lies in different banks.
template <class A, int kTile>
struct Shared {
  A rows[kTile][kChunk + 1], others[kTile][kChunk + 1];
  A weights[kTile][kTile + 1];
};

/// Rows first ... first + kTile of a head, columns column ... column + kChunk; zeros beyond `count` rows or the width.
template <class A, int kTile>
__device__ void load_chunk(A (&to)[kTile][kChunk + 1], const Matrices& x, int64_t start, int64_t first, int64_t count,
                           int64_t column) {  // wide: a rectangle of an operand
  for (int i = int(threadIdx.x); i < kTile * kChunk; i += kThreadsOfBlock) {
    const int64_t row = first + i / kChunk, at = column + i % kChunk;
    const bool inside = row < count && at < x.width;
    to[i / kChunk][i % kChunk] = inside ? load_element<A>(x.data, x.dtype, start + row * x.row + at) : A(0);
  }
}

/// A tile of rows of one operand of a head.
struct Rows {
  const Matrices& x;
  int64_t start, first, count;
};

/// f(0), f(1), ... f(N - 1), written out: what is indexed by them stays in registers.
template <int N, class F>
__device__ inline void unrolled(F&& f) {
  [&]<int... I>(std::integer_sequence<int, I...>) { (f(I), ...); }
  (std::make_integer_sequence<int, N>{});
}

/// sums[i][j] = a's row i . b's row j.
template <class A, int kTile, int kPart>
__device__ void multiply(A (&sums)[kPart][kPart], Shared<A, kTile>& shared, const Rows& a, const Rows& b) {
  const int y = int(threadIdx.x) / kSide, x = int(threadIdx.x) % kSide;
  unrolled<kPart>([&](int i) { unrolled<kPart>([&](int j) { sums[i][j] = A(0); }); });
  for (int64_t column = 0; column < a.x.width; column += kChunk) {
    __syncthreads();  // nobody reads the chunk before any more
    load_chunk(shared.rows, a.x, a.start, a.first, a.count, column);
    load_chunk(shared.others, b.x, b.start, b.first, b.count, column);
    __syncthreads();
    for (int k = 0; k < kChunk; ++k) {
      A left[kPart], right[kPart];
      unrolled<kPart>([&](int i) {
        left[i] = shared.rows[y + kSide * i][k];
        right[i] = shared.others[x + kSide * i][k];
      });
      unrolled<kPart>(
          [&](int i) { unrolled<kPart>([&](int j) { sums[i][j] = multiply_add(left[i], right[j], sums[i][j]); }); });
    }
  }
}

/// The largest or the sum of a value over the 16 threads that share a row.
template <class A>
__device__ A row_max(A value) {
  for (int lanes = kSide / 2; lanes > 0; lanes /= 2) {
    const A other = __shfl_xor_sync(0xffffffffu, value, lanes);
    value = other > value ? other : value;
  }
  return value;
}
template <class A>
__device__ A row_sum(A value) {
  for (int lanes = kSide / 2; lanes > 0; lanes /= 2) value += __shfl_xor_sync(0xffffffffu, value, lanes);
  return value;
}

/// The state of the softmax of one row.
template <class A>
struct Softmax {
  A largest = -A(HUGE_VALF), total = A(0);
};

/// Makes weights e^(scale score - largest) of one row's scores, 0 where bit j of `seen` is not set, and brings the
/// state up to date. Returns what sums made with the state before are to be multiplied by.
template <class A, int kPart>
__device__ A soften(A (&row)[kPart], Softmax<A>& state, A scale, unsigned seen) {
  A largest = state.largest, total = A(0);
  unrolled<kPart>([&](int j) {
    row[j] *= scale;
    if (seen >> j & 1 && row[j] > largest) largest = row[j];
  });
  largest = row_max(largest);
  unrolled<kPart>([&](int j) {
    row[j] = seen >> j & 1 ? math::exp(row[j] - largest) : A(0);
    total += row[j];
  });
  const A correction = state.total > A(0) ? math::exp(state.largest - largest) : A(0);
  state.total = multiply_add(state.total, correction, row_sum(total));
  state.largest = largest;
  return correction;
}

/// One weight of a gradient: p, or ds when dp is asked for.
template <class A>
__device__ A weight_of(const Arguments<A>& in, int64_t at, A score, A scale, const A* dp) {
  const A p = math::exp(multiply_add(score, scale, -in.lse[at]));
  return dp ? p * scale * (*dp - in.delta[at]) : p;
}

template <class A, int kTile, int kChunks, Pass kPass>
__global__ void weighted_rows(Problem problem, Arguments<A> in, int64_t tiles) {  // long: the whole algorithm
  constexpr int kPart = kTile / kSide, kWide = kChunk / kSide;
  constexpr bool kByQuery = kPass == Pass::out || kPass == Pass::grad_q;  // what a row of the result belongs to
  constexpr bool kNeedsGrad = kPass == Pass::grad_q || kPass == Pass::grad_k;
  __shared__ Shared<A, kTile> shared;
  const int y = int(threadIdx.x) / kSide, x = int(threadIdx.x) % kSide;
  const int64_t head = blockIdx.x / tiles, first = blockIdx.x % tiles * kTile;
  const int64_t count = kByQuery ? problem.queries : problem.keys, others = kByQuery ? problem.keys : problem.queries;
  const int64_t first_column = int64_t(blockIdx.y) * kChunks * kChunk;
  const Matrices& summed = kPass == Pass::out      ? in.v
                           : kPass == Pass::grad_q ? in.k
                           : kPass == Pass::grad_k ? in.q
                                                   : in.grad;
  const int64_t q = problem.start_of(in.q, head), k = problem.start_of(in.k, head), v = problem.start_of(in.v, head),
                grad = problem.start_of(in.grad, head), summed_start = problem.start_of(summed, head);
  const A scale = A(problem.scale);

  A sums[kChunks][kPart][kWide];
  unrolled<kChunks>(
      [&](int c) { unrolled<kPart>([&](int i) { unrolled<kWide>([&](int j) { sums[c][i][j] = A(0); }); }); });
  Softmax<A> softmax[kPart];
  // Under a causal mask tiles that see nothing are left out.
  const int64_t begin = problem.causal && !kByQuery ? first : 0;
  const int64_t end = problem.causal && kByQuery && first + kTile < others ? first + kTile : others;
  for (int64_t other = begin; other < end; other += kTile) {
    A weights[kPart][kPart], dp[kPart][kPart];
    const Rows queries{in.q, q, kByQuery ? first : other, problem.queries},
        keys{in.k, k, kByQuery ? other : first, problem.keys};
    multiply(weights, shared, kByQuery ? queries : keys, kByQuery ? keys : queries);
    if constexpr (kNeedsGrad) {
      const Rows grads{in.grad, grad, queries.first, problem.queries}, values{in.v, v, keys.first, problem.keys};
      multiply(dp, shared, kByQuery ? grads : values, kByQuery ? values : grads);
    }
    unrolled<kPart>([&](int i) {
      const int64_t row = first + y + kSide * i;
      unsigned seen = 0;
      unrolled<kPart>([&](int j) {
        const int64_t column = other + x + kSide * j, query = kByQuery ? row : column, key = kByQuery ? column : row;
        if (row < count && column < others && (!problem.causal || key <= query)) seen |= 1u << j;
      });
      if constexpr (kPass == Pass::out) {
        const A correction = soften(weights[i], softmax[i], scale, seen);
        unrolled<kChunks>([&](int c) { unrolled<kWide>([&](int j) { sums[c][i][j] *= correction; }); });
      } else {
        unrolled<kPart>([&](int j) {
          const int64_t at = head * problem.queries + (kByQuery ? row : other + x + kSide * j);
          weights[i][j] =
              seen >> j & 1 ? weight_of(in, at, weights[i][j], scale, kNeedsGrad ? &dp[i][j] : nullptr) : A(0);
        });
      }
      unrolled<kPart>([&](int j) { shared.weights[y + kSide * i][x + kSide * j] = weights[i][j]; });
    });
    unrolled<kChunks>([&](int c) {
      const int64_t column = first_column + c * kChunk;
      if (column >= summed.width) return;
      __syncthreads();  // the weights are written, the chunk before is read
      load_chunk(shared.others, summed, summed_start, other, others, column);
      __syncthreads();
      for (int k = 0; k < kTile; ++k) {
        A right[kWide];
        unrolled<kWide>([&](int j) { right[j] = shared.others[k][x + kSide * j]; });
        unrolled<kPart>([&](int i) {
          const A left = shared.weights[y + kSide * i][k];
          unrolled<kWide>([&](int j) { sums[c][i][j] = multiply_add(left, right[j], sums[c][i][j]); });
        });
      }
    });
  }
  unrolled<kPart>([&](int i) {
    const int64_t row = first + y + kSide * i;
    if (row >= count) return;
    const A divisor = kPass == Pass::out ? A(1) / softmax[i].total : A(1);
    unrolled<kChunks>([&](int c) {
      unrolled<kWide>([&](int j) {
        const int64_t column = first_column + c * kChunk + x + kSide * j;
        if (column < summed.width)
          store_element(in.to, in.to_dtype, (head * count + row) * summed.width + column, sums[c][i][j] * divisor);
      });
    });
    if (kPass == Pass::out && x == 0 && blockIdx.y == 0)
      in.lse[head * problem.queries + row] = softmax[i].largest + math::log(softmax[i].total);
  });
}

template <class A, int kTile, int kChunks, Pass kPass>
void run_chunks(Cuda cuda, const Problem& problem, const Arguments<A>& in, int64_t heads, int64_t width) {
  constexpr bool kByQuery = kPass == Pass::out || kPass == Pass::grad_q;
  const int64_t tiles = ceil_div(kByQuery ? problem.queries : problem.keys, kTile);
  const Grid grid{.blocks = heads * tiles, .threads = kThreadsOfBlock, .rows = ceil_div(width, kChunks * kChunk)};
  launch(kPass == Pass::out ? "attention" : "attention_backward", cuda, grid, weighted_rows<A, kTile, kChunks, kPass>,
         problem, in, tiles);
}

/// Results up to 64 or 160 wide are one block's work; wider ones, and in f64 those above 64, are cut into columns,
/// whose blocks form the weights again. More variants would take the compiler a minute.
template <class A, Pass kPass>
void run(Cuda cuda, const Problem& problem, const Arguments<A>& in, int64_t heads, int64_t width) {
  if constexpr (sizeof(A) == 8)
    run_chunks<A, 32, 2, kPass>(cuda, problem, in, heads, width);
  else if (width <= 2 * kChunk)
    run_chunks<A, 64, 2, kPass>(cuda, problem, in, heads, width);
  else
    run_chunks<A, 64, 5, kPass>(cuda, problem, in, heads, width);
}

Matrices matrices_of(const Tensor& x) {
  Matrices made{x.raw_data(), x.dtype(), x.strides().back(1), x.shape().back(), {}};
  for (int64_t d = 0; d + 2 < x.rank(); ++d) made.strides[d] = x.strides()[d];
  return made;
}

Problem problem_of(const Tensor& q, const Tensor& k, AttentionSetting setting) {
  Problem made{q.shape().back(1), k.shape().back(1), int(q.rank()) - 2, {}, setting.causal, setting.scale};
  for (int64_t d = 0; d + 2 < q.rank(); ++d) made.sizes[d] = q.shape()[d];
  return made;
}

int64_t heads_of(const Tensor& lse) { return lse.numel() / lse.shape().back(); }

/// delta's terms: grad, strided, times out, dense.
template <class A>
struct Product {
  Problem problem;
  Matrices grad;
  const void* out;
  DType dtype;
  __device__ A operator()(int64_t row, int64_t i) const {
    const int64_t head = row / problem.queries;
    return load_element<A>(grad.data, grad.dtype,
                           problem.start_of(grad, head) + (row - head * problem.queries) * grad.row + i) *
           load_element<A>(out, dtype, row * grad.width + i);
  }
};
template <class A>
struct StoreSum {
  A* to;
  __device__ void operator()(int64_t row, A sum) const { to[row] = sum; }
};

template <class F>
void with_sum_type(DType dtype, F&& f) {
  dtype == DType::f64 ? f.template operator()<double>() : f.template operator()<float>();
}

}  // namespace

void attention_tiles(Cuda cuda, const Tensor& q, const Tensor& k, const Tensor& v, AttentionSetting setting,
                     AttentionResult& result) {
  with_sum_type(q.dtype(), [&]<class A>() {
    Arguments<A> in{};
    in.q = matrices_of(q);
    in.k = matrices_of(k);
    in.v = matrices_of(v);
    in.lse = static_cast<A*>(result.lse.raw_mutable_data());
    in.to = result.out.raw_mutable_data();
    in.to_dtype = result.out.dtype();
    run<A, Pass::out>(cuda, problem_of(q, k, setting), in, heads_of(result.lse), v.shape().back());
  });
}

void attention_tiles_backward(Cuda cuda, const AttentionOperands& from, AttentionSetting setting,
                              AttentionGrads& grads) {
  with_sum_type(from.q.dtype(), [&]<class A>() {
    const Problem problem = problem_of(from.q, from.k, setting);
    const int64_t heads = heads_of(from.lse), depth = from.q.shape().back(), value_depth = from.v.shape().back();
    Tensor delta = empty(from.lse.shape(), from.lse.dtype(), from.lse.device());
    Arguments<A> in{};
    in.q = matrices_of(from.q);
    in.k = matrices_of(from.k);
    in.v = matrices_of(from.v);
    in.grad = matrices_of(from.grad);
    in.lse = static_cast<A*>(const_cast<void*>(from.lse.raw_data()));
    in.delta = static_cast<A*>(delta.raw_mutable_data());
    in.to_dtype = from.q.dtype();
    if (grads.q.defined() || grads.k.defined())
      sum_rows<A>("attention_backward", cuda, delta.device(), delta.numel(), value_depth,
                  Product<A>{problem, in.grad, from.out.raw_data(), from.out.dtype()}, StoreSum<A>{in.delta});
    if (grads.q.defined() && depth > 0) {
      in.to = grads.q.raw_mutable_data();
      run<A, Pass::grad_q>(cuda, problem, in, heads, depth);
    }
    if (grads.k.defined() && depth > 0) {
      in.to = grads.k.raw_mutable_data();
      run<A, Pass::grad_k>(cuda, problem, in, heads, depth);
    }
    if (grads.v.defined()) {
      in.to = grads.v.raw_mutable_data();
      run<A, Pass::grad_v>(cuda, problem, in, heads, value_depth);
    }
  });
}

}  // namespace plumb
