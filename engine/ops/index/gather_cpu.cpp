// Gather walks elements in any order. Scatter walks lines along dim, each by one thread and in order: two entries can
// only meet on the same line, so the sums do not depend on the number of threads.

#include <algorithm>

#include "engine/loops.h"
#include "engine/ops/index/gather_kernels.h"

namespace plumb {
namespace {

Strides without(Strides strides, int64_t dim) {
  strides.erase(dim);
  return strides;
}

}  // namespace

void gather_kernel(Cpu, const Tensor& x, int64_t dim, const Tensor& index, Tensor& out) {
  Strides from = x.strides();
  const int64_t step = from[dim];
  from[dim] = 0;  // the index says where along dim
  const auto loop = make_loop<3>(out.shape(), {out.strides(), index.strides(), from});
  const int64_t* positions = index.data<int64_t>();
  visit_dtype(AllTypes{}, x.dtype(), "gather", [&]<class T>() {
    const T* source = x.data<T>();
    T* target = out.mutable_data<T>();
    run_loop(loop, [&](const std::array<int64_t, 3>& at, int64_t count) {
      const int64_t to = loop.strides[0].back(), next = loop.strides[1].back(), across = loop.strides[2].back();
      for (int64_t i = 0; i < count; ++i)
        target[at[0] + i * to] = source[at[2] + i * across + positions[at[1] + i * next] * step];
    });
  });
}

void scatter_add_kernel(Cpu, const Tensor& src, int64_t dim, const Tensor& index, Tensor& target) {
  const Shape lines = without(index.shape(), dim);
  const int64_t length = index.shape()[dim];
  const int64_t list_step = index.strides()[dim], source_step = src.strides()[dim], step = target.strides()[dim];
  const auto loop =
      make_loop<3>(lines, {without(target.strides(), dim), without(index.strides(), dim), without(src.strides(), dim)});
  const int64_t* positions = index.data<int64_t>();
  visit_dtype(TypeList<float, double, int64_t, int32_t, uint8_t>{}, target.dtype(), "scatter_add", [&]<class T>() {
    const T* source = src.data<T>();
    T* sums = target.mutable_data<T>();
    run_loop(loop, [&](const std::array<int64_t, 3>& at, int64_t count) {
      for (int64_t j = 0; j < length; ++j)  // outermost, so that neighbouring lines are touched together
        for (int64_t i = 0; i < count; ++i) {
          const int64_t position = positions[at[1] + i * loop.strides[1].back() + j * list_step];
          T& sum = sums[at[0] + i * loop.strides[0].back() + position * step];
          sum = T(sum + source[at[2] + i * loop.strides[2].back() + j * source_step]);
        }
    });
  });
}

}  // namespace plumb
