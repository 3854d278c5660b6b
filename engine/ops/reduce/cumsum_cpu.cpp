// Running sums on the CPU: parallel over lines, one addition after the other along each.

#include <algorithm>
#include <type_traits>

#include "engine/loops.h"
#include "engine/ops/reduce/convert.h"
#include "engine/ops/reduce/cumsum_kernels.h"
#include "engine/ops/reduce/reduce_cpu.h"

namespace plumb {

void cumsum_kernel(Cpu, const Tensor& x, int64_t dim, bool reverse, Tensor& y) {
  visit_dtype(AllTypes{}, x.dtype(), "cumsum", [&]<class T>() {
    using Out = std::conditional_t<std::is_integral_v<T>, int64_t, T>;
    using Carry = std::conditional_t<std::is_integral_v<T>, int64_t, double>;
    const DimMask mask = x.rank() == 0 ? 0 : DimMask(1) << dim;
    const ReductionLayout from = reduction_layout(x, mask), to = reduction_layout(y, mask);
    const T* input = x.data<T>();
    Out* output = y.mutable_data<Out>();
    const int64_t n = from.count, step = from.reduced_strides[0], out_step = to.reduced_strides[0];
    parallel_for(from.outputs, std::max<int64_t>(1, kElementGrain / n), [&](int64_t begin, int64_t end) {
      for (int64_t line = begin; line < end; ++line) {
        const T* source = input + strided_offset(line, from.kept, from.kept_strides);
        Out* target = output + strided_offset(line, to.kept, to.kept_strides);
        Carry carry = 0;
        for (int64_t k = 0; k < n; ++k) {
          const int64_t i = reverse ? n - 1 - k : k;
          carry += static_cast<Carry>(static_cast<Compute<T>>(source[i * step]));
          target[i * out_step] = static_cast<Out>(static_cast<Compute<Out>>(carry));
        }
      }
    });
  });
}

}  // namespace plumb
