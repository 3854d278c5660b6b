#pragma once

// Internal: gradients of reductions whose elements of one output depend on each other. The elements of an output are
// gathered in row-major order into a dense buffer of Acc<T>, turned into their gradients there, and scattered.

#include <algorithm>
#include <vector>

#include "engine/loops.h"
#include "engine/ops/reduce/convert.h"
#include "engine/ops/reduce/reduce_cpu.h"
#include "engine/ops/reduce/reduction_layout.h"

namespace plumb {

/// Calls run(offset, step, first, count) for the stretches of one output; `first` counts its elements.
template <class F>
void for_each_run(const ReductionLayout& layout, int64_t output, F&& run) {
  const int64_t start = strided_offset(output, layout.kept, layout.kept_strides);
  const int64_t inner = layout.reduced.back(), step = layout.reduced_strides.back();
  for (int64_t first = 0; first < layout.count; first += inner)
    run(start + strided_offset(first, layout.reduced, layout.reduced_strides), step, first, inner);
}

/// `gradient(elements, count, output)` replaces the elements of an output by their gradients. grad_x: like x, dense.
template <class T, class F>
void reduction_grad_on_cpu(const Tensor& x, DimMask mask, Tensor& grad_x, F&& gradient) {
  using A = Acc<T>;
  if (x.numel() == 0) return;
  const ReductionLayout from = reduction_layout(x, mask, true), to = reduction_layout(grad_x, mask, true);
  const T* input = x.data<T>();
  T* target = grad_x.mutable_data<T>();
  parallel_for(from.outputs, std::max<int64_t>(1, kElementGrain / from.count), [&](int64_t begin, int64_t end) {
    std::vector<A> elements(static_cast<size_t>(from.count));
    for (int64_t output = begin; output < end; ++output) {
      for_each_run(from, output, [&](int64_t offset, int64_t step, int64_t first, int64_t count) {
        copy_row(input + offset, step, count, elements.data() + first);
      });
      gradient(elements.data(), from.count, output);
      for_each_run(to, output, [&](int64_t offset, int64_t step, int64_t first, int64_t count) {
        for (int64_t i = 0; i < count; ++i) target[offset + i * step] = store_as<T>(elements[size_t(first + i)]);
      });
    }
  });
}

}  // namespace plumb
