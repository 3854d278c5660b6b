// Plain strided loops; dense same-type copies are memcpy. Conversions go through float or double once.

#include <cstring>

#include "engine/loops.h"
#include "engine/ops/copy/copy_kernels.h"
#include "engine/ops/copy/transposing_copy.h"

namespace plumb {
namespace {

template <class To, class From>
To convert(From value) {
  if constexpr (std::is_same_v<To, From>) return value;
  if constexpr (std::is_same_v<To, bool>) return static_cast<Compute<From>>(value) != Compute<From>(0);
  if constexpr (is_half<To>) return To(static_cast<float>(static_cast<Compute<From>>(value)));
  return static_cast<To>(static_cast<Compute<From>>(value));
}

template <class T, class F>
void for_each_pair(const Tensor& source, Tensor& target, F&& row) {
  const auto loop = make_loop<2>(target.shape(), {target.strides(), broadcast_strides(source, target.shape())});
  run_loop(loop, [&](const std::array<int64_t, 2>& at, int64_t count) {
    row(target.mutable_data<T>() + at[0], loop.strides[0].back(), at[1], loop.strides[1].back(), count);
  });
}

}  // namespace

void fill_kernel(Cpu, Tensor& target, double value) {
  visit_dtype(AllTypes{}, target.dtype(), "fill_", [&]<class T>() {
    const T element = convert<T>(value);
    const auto loop = make_loop<1>(target.shape(), {target.strides()});
    T* data = target.mutable_data<T>();
    run_loop(loop, [&](const std::array<int64_t, 1>& at, int64_t count) {
      const int64_t step = loop.strides[0].back();
      if (step == 1)
        for (int64_t i = 0; i < count; ++i) data[at[0] + i] = element;
      else
        for (int64_t i = 0; i < count; ++i) data[at[0] + i * step] = element;
    });
  });
}

void copy_kernel(Cpu, const Tensor& source, Tensor& target) {
  if (source.dtype() == target.dtype() && source.shape() == target.shape() && source.is_contiguous() &&
      target.is_contiguous()) {
    const int64_t bytes = target.numel() * size_of(target.dtype());
    const char* from = static_cast<const char*>(source.raw_data());
    char* to = static_cast<char*>(target.raw_mutable_data());
    parallel_for(bytes, 8 * kElementGrain,
                 [&](int64_t begin, int64_t end) { std::memmove(to + begin, from + begin, size_t(end - begin)); });
    return;
  }
  if (source.dtype() == target.dtype()) {
    const auto loop = make_loop<2>(target.shape(), {target.strides(), broadcast_strides(source, target.shape())});
    if (transposing_copy(loop, source.raw_data(), target.raw_mutable_data(), size_of(target.dtype()))) return;
  }
  visit_dtype(AllTypes{}, target.dtype(), "copy_", [&]<class To>() {
    visit_dtype(AllTypes{}, source.dtype(), "copy_", [&]<class From>() {
      const From* from = source.data<From>();
      for_each_pair<To>(source, target, [from](To* to, int64_t step, int64_t start, int64_t source_step, int64_t n) {
        const From* row = from + start;
        if (step == 1 && source_step == 1)
          for (int64_t i = 0; i < n; ++i) to[i] = convert<To>(row[i]);
        else
          for (int64_t i = 0; i < n; ++i) to[i * step] = convert<To>(row[i * source_step]);
      });
    });
  });
}

void accumulate_kernel(Cpu, const Tensor& source, double alpha, Tensor& target) {
  visit_dtype(Floats{}, target.dtype(), "add_", [&]<class To>() {
    visit_dtype(Floats{}, source.dtype(), "add_", [&]<class From>() {
      using A = Acc<To>;
      const From* from = source.data<From>();
      const A factor = A(alpha);
      for_each_pair<To>(source, target, [=](To* to, int64_t step, int64_t start, int64_t source_step, int64_t n) {
        const From* row = from + start;
        if (step == 1 && source_step == 1)
          for (int64_t i = 0; i < n; ++i) to[i] = To(A(to[i]) + factor * A(Compute<From>(row[i])));
        else
          for (int64_t i = 0; i < n; ++i)
            to[i * step] = To(A(to[i * step]) + factor * A(Compute<From>(row[i * source_step])));
      });
    });
  });
}

void scale_kernel(Cpu, double factor, Tensor& target) {
  visit_dtype(Floats{}, target.dtype(), "mul_", [&]<class T>() {
    const auto loop = make_loop<1>(target.shape(), {target.strides()});
    T* data = target.mutable_data<T>();
    const Acc<T> scale = Acc<T>(factor);
    run_loop(loop, [&](const std::array<int64_t, 1>& at, int64_t count) {
      const int64_t step = loop.strides[0].back();
      for (int64_t i = 0; i < count; ++i) data[at[0] + i * step] = T(Acc<T>(data[at[0] + i * step]) * scale);
    });
  });
}

}  // namespace plumb
