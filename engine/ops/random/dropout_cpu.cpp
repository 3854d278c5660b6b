#include "engine/loops.h"
#include "engine/ops/random/dropout_kernels.h"
#include "engine/ops/reduce/convert.h"

namespace plumb {

void dropout_kernel(Cpu, const Tensor& x, const Tensor& drawn, double p, Tensor& y) {
  visit_dtype(Floats{}, x.dtype(), "dropout", [&]<class T>() {
    using A = Acc<T>;
    const T* input = x.data<T>();
    const float* chance = drawn.data<float>();
    T* out = y.mutable_data<T>();
    const A scale = A(1 / (1 - p));
    const float limit = float(p);
    parallel_for(x.numel(), kElementGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        out[i] = chance[i] < limit ? T(Compute<T>(0)) : store_as<T>(load_as<A>(input[i]) * scale);
    });
  });
}

}  // namespace plumb
