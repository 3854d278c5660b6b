// A thread takes kIndices indices a block width apart, and copies them; a block that met one outside writes down its
// first. Counting faults with an integer atomic picks one block without an order.

#include "engine/cuda/fault.h"
#include "engine/cuda/launch.cuh"
#include "engine/cuda/walk.cuh"
#include "engine/ops/index/check_index_kernels.h"

namespace plumb {
namespace {

constexpr int kIndices = 16;  // a thread: 4096 a block

template <class T>
__global__ void check_index(Walk<1> walk, const T* indices, int64_t count, IndexFault fault, IndexFault* record,
                            int64_t* out) {  // wide: where they are, where they go, and what to report
  __shared__ int64_t first_outside[kThreads];
  const int64_t begin = int64_t(blockIdx.x) * kThreads * kIndices + threadIdx.x;
  int64_t outside = count;
  for (int64_t k = kIndices - 1; k >= 0; --k) {
    const int64_t i = begin + k * kThreads;
    if (i >= count) continue;
    const int64_t index = int64_t(indices[places_of(walk, i).at[0]]);
    const bool inside = uint64_t(index) < uint64_t(fault.limit);
    out[i] = inside ? index : 0;
    if (!inside) outside = i;
  }
  first_outside[threadIdx.x] = outside;
  __syncthreads();
  if (threadIdx.x > 0) return;
  for (int i = 1; i < kThreads; ++i)
    if (first_outside[i] < outside) outside = first_outside[i];
  if (outside == count || atomicAdd(&record->count, 1) > 0) return;
  record->op = fault.op;
  record->limit = fault.limit;
  record->position = outside;
  record->value = int64_t(indices[places_of(walk, outside).at[0]]);
}

}  // namespace

Tensor check_index_kernel(Cuda cuda, const char* op, const Tensor& indices, int64_t limit) {
  Tensor out = empty(indices.shape(), DType::i64, indices.device());
  // Operand 0 decides the order of a walk: the indices come row by row, as they go out.
  const auto loop = make_loop<2>(indices.shape(), {out.strides(), indices.strides()});
  const Walk<1> walk = walk_of(StridedLoop<1>{loop.shape, {loop.strides[1]}});
  const IndexFault fault{0, op, 0, 0, limit};
  visit_dtype(TypeList<int64_t, int32_t>{}, indices.dtype(), op, [&]<class T>() {
    launch(op, cuda, {.blocks = ceil_div(indices.numel(), kThreads * kIndices)}, check_index<T>, walk,
           indices.data<T>(), indices.numel(), fault, index_fault({DeviceType::cuda, int8_t(cuda.device)}),
           out.mutable_data<int64_t>());
  });
  return out;
}

}  // namespace plumb
