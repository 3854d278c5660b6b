// One thread an element (walk.cuh), types looked up at run time. A conversion loads in the type the source is computed
// in and rounds once, as on the CPU. Dense copies of one type, and zeros, are left to the copy engine.

#include "engine/cuda/element.cuh"
#include "engine/cuda/walk.cuh"
#include "engine/ops/copy/copy_kernels.h"

namespace plumb {
namespace {

struct Fill {
  void* to;
  DType dtype;
  double value;
  __device__ void operator()(const Places<1>& p) const { store_element(to, dtype, p.at[0], value); }
};

template <class C>
struct Copy {
  const void* from;
  DType from_dtype;
  void* to;
  DType to_dtype;
  __device__ void operator()(const Places<2>& p) const {
    store_element(to, to_dtype, p.at[0], load_element<C>(from, from_dtype, p.at[1]));
  }
};

template <class C>
struct Accumulate {
  const void* from;
  DType from_dtype;
  void* to;
  DType to_dtype;
  C alpha;
  __device__ void operator()(const Places<2>& p) const {
    const C sum = load_element<C>(to, to_dtype, p.at[0]) + alpha * load_element<C>(from, from_dtype, p.at[1]);
    store_element(to, to_dtype, p.at[0], sum);
  }
};

template <class C>
struct Scale {
  void* to;
  DType dtype;
  C factor;
  __device__ void operator()(const Places<1>& p) const {
    store_element(to, dtype, p.at[0], load_element<C>(to, dtype, p.at[0]) * factor);
  }
};

StridedLoop<1> loop_over(const Tensor& target) { return make_loop<1>(target.shape(), {target.strides()}); }

StridedLoop<2> loop_over(const Tensor& source, const Tensor& target) {
  return make_loop<2>(target.shape(), {target.strides(), broadcast_strides(source, target.shape())});
}

size_t bytes_of(const Tensor& x) { return size_t(x.numel() * size_of(x.dtype())); }

}  // namespace

void fill_kernel(Cuda cuda, Tensor& target, double value) {
  if (target.is_contiguous() && __builtin_bit_cast(uint64_t, value) == 0)
    return check_cuda("fill_", cudaMemsetAsync(target.raw_mutable_data(), 0, bytes_of(target),
                                               static_cast<cudaStream_t>(cuda.stream)));
  walk_on_device("fill_", cuda, loop_over(target), Fill{target.raw_mutable_data(), target.dtype(), value});
}

void copy_kernel(Cuda cuda, const Tensor& source, Tensor& target) {
  if (source.dtype() == target.dtype() && source.shape() == target.shape() && source.is_contiguous() &&
      target.is_contiguous())
    return check_cuda("copy_", cudaMemcpyAsync(target.raw_mutable_data(), source.raw_data(), bytes_of(target),
                                               cudaMemcpyDeviceToDevice, static_cast<cudaStream_t>(cuda.stream)));
  visit_element_type(source.dtype(), [&]<class C>() {
    walk_on_device("copy_", cuda, loop_over(source, target),
                   Copy<C>{source.raw_data(), source.dtype(), target.raw_mutable_data(), target.dtype()});
  });
}

void accumulate_kernel(Cuda cuda, const Tensor& source, double alpha, Tensor& target) {
  visit_dtype(TypeList<float, double>{}, acc_dtype(target.dtype()), "add_", [&]<class C>() {
    walk_on_device(
        "add_", cuda, loop_over(source, target),
        Accumulate<C>{source.raw_data(), source.dtype(), target.raw_mutable_data(), target.dtype(), C(alpha)});
  });
}

void scale_kernel(Cuda cuda, double factor, Tensor& target) {
  visit_dtype(TypeList<float, double>{}, acc_dtype(target.dtype()), "mul_", [&]<class C>() {
    walk_on_device("mul_", cuda, loop_over(target), Scale<C>{target.raw_mutable_data(), target.dtype(), C(factor)});
  });
}

}  // namespace plumb
