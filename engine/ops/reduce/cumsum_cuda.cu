// Running sums, carried in double (integers: int64) as on the CPU. Many lines: one thread each, in order. Few: a block
// each, which takes kThreads elements at a time: a running sum inside the warps by shuffles, then over their totals,
// then on from the tile before.

#include "engine/cuda/element.cuh"
#include "engine/cuda/walk.cuh"
#include "engine/ops/reduce/cumsum_kernels.h"
#include "engine/ops/reduce/reduction_layout.h"

namespace plumb {
namespace {

constexpr int64_t kManyLines = 4096, kShortLine = 32;

template <class C>
struct Lines {
  const void* x;
  DType dtype;
  void* y;
  DType out_dtype;
  int64_t count, step, out_step;
  bool reverse;

  __device__ C load(int64_t start, int64_t i) const { return load_element<C>(x, dtype, start + at(i) * step); }
  __device__ void store(int64_t start, int64_t i, C sum) const {
    store_element(y, out_dtype, start + at(i) * out_step, sum);
  }
  __device__ int64_t at(int64_t i) const { return reverse ? count - 1 - i : i; }

  /// One thread a line.
  __device__ void operator()(const Places<2>& start) const {
    C carry = C(0);
    for (int64_t i = 0; i < count; ++i) store(start.at[0], i, carry += load(start.at[1], i));
  }
};

template <class C>
__global__ void cumsum_blocks(Walk<2> starts, Lines<C> lines) {
  __shared__ C totals[kThreads / kWarp];
  const Places<2> start = places_of(starts, blockIdx.x);
  const int lane = int(threadIdx.x) % kWarp, warp = int(threadIdx.x) / kWarp;
  C carry = C(0);
  for (int64_t first = 0; first < lines.count; first += kThreads) {
    const int64_t i = first + threadIdx.x;
    C sum = i < lines.count ? lines.load(start.at[1], i) : C(0);
    for (int reach = 1; reach < kWarp; reach *= 2) {
      const C before = __shfl_sync(0xffffffffu, sum, lane >= reach ? lane - reach : lane);
      if (lane >= reach) sum += before;
    }
    if (lane == kWarp - 1) totals[warp] = sum;
    __syncthreads();
    C before = carry;
    for (int w = 0; w < kThreads / kWarp; ++w) {
      if (w < warp) before += totals[w];
      carry += totals[w];
    }
    if (i < lines.count) lines.store(start.at[0], i, before + sum);
    __syncthreads();
  }
}

template <class C>
void run(const Cuda& cuda, const Tensor& x, int64_t dim, bool reverse, Tensor& y) {
  Shape kept = x.shape();
  Strides from = x.strides(), to = y.strides();
  Lines<C> lines{x.raw_data(), x.dtype(), y.raw_mutable_data(), y.dtype(), 1, 0, 0, reverse};
  if (x.rank() > 0) {
    lines.count = kept[dim];
    lines.step = from[dim];
    lines.out_step = to[dim];
    for (Dims* each : {&kept, &from, &to}) each->erase(dim);
  }
  const auto starts = make_loop<2>(kept, {to, from});
  const int64_t count = numel(starts.shape);
  const char* op = reverse ? "cumsum_backward" : "cumsum";
  if (count >= kManyLines || lines.count <= kShortLine) return walk_on_device(op, cuda, starts, lines);
  launch(op, cuda, {.blocks = count}, cumsum_blocks<C>, walk_of(starts), lines);
}

}  // namespace

void cumsum_kernel(Cuda cuda, const Tensor& x, int64_t dim, bool reverse, Tensor& y) {
  if (is_floating(x.dtype()))
    run<double>(cuda, x, dim, reverse, y);
  else
    run<int64_t>(cuda, x, dim, reverse, y);
}

}  // namespace plumb
