// Bilinear resizing on the CPU. Which pixels blend with what weights is the same for every row, and is worked out once
// a column and once a row; sums are in Acc<T>. Forward is parallel over output rows of all planes. Backward scatters,
// so it is parallel over planes, each summed in order in a buffer.

#include <algorithm>
#include <vector>

#include "engine/loops.h"
#include "engine/ops/reduce/convert.h"
#include "engine/ops/resize/interpolate_bilinear_kernels.h"

namespace plumb {
namespace {

template <class A>
std::vector<Blend<A>> blends(int64_t in, int64_t out) {
  std::vector<Blend<A>> result;
  result.reserve(size_t(out));
  for (int64_t i = 0; i < out; ++i) result.push_back(blend_of<A>(i, in, out));
  return result;
}

template <class T>
void resize(const Tensor& x, Tensor& y) {
  using A = Acc<T>;
  const int64_t channels = y.size(1), height = y.size(2), width = y.size(3);
  const Strides& step = x.strides();
  const auto rows = blends<A>(x.size(2), height), columns = blends<A>(x.size(3), width);
  const T* input = x.data<T>();
  T* output = y.mutable_data<T>();
  parallel_for(y.size(0) * channels * height, std::max<int64_t>(1, kElementGrain / width),
               [&](int64_t begin, int64_t end) {
                 for (int64_t row = begin; row < end; ++row) {
                   const int64_t plane = row / height;
                   const Blend<A>& v = rows[size_t(row % height)];
                   const T* base = input + plane / channels * step[0] + plane % channels * step[1];
                   const T *top = base + v.first * step[2], *bottom = base + v.second * step[2];
                   for (int64_t i = 0; i < width; ++i) {
                     const Blend<A>& h = columns[size_t(i)];
                     const auto along = [&](const T* line) {
                       return (A(1) - h.weight) * load_as<A>(line[h.first * step[3]]) +
                              h.weight * load_as<A>(line[h.second * step[3]]);
                     };
                     output[row * width + i] = store_as<T>((A(1) - v.weight) * along(top) + v.weight * along(bottom));
                   }
                 }
               });
}

template <class T>
void scatter(const Tensor& grad, Tensor& grad_x) {
  using A = Acc<T>;
  const int64_t channels = grad.size(1), height = grad_x.size(2), width = grad_x.size(3);
  const Strides& step = grad.strides();
  const auto rows = blends<A>(height, grad.size(2)), columns = blends<A>(width, grad.size(3));
  const T* input = grad.data<T>();
  T* output = grad_x.mutable_data<T>();
  parallel_for(grad.size(0) * channels, 1, [&](int64_t begin, int64_t end) {
    std::vector<A> sum(size_t(height * width));
    for (int64_t plane = begin; plane < end; ++plane) {
      std::fill(sum.begin(), sum.end(), A(0));
      const T* base = input + plane / channels * step[0] + plane % channels * step[1];
      for (size_t j = 0; j < rows.size(); ++j) {
        A *top = sum.data() + rows[j].first * width, *bottom = sum.data() + rows[j].second * width;
        for (size_t i = 0; i < columns.size(); ++i) {
          const Blend<A>& h = columns[i];
          const A g = load_as<A>(base[int64_t(j) * step[2] + int64_t(i) * step[3]]);
          const A left = (A(1) - h.weight) * g, right = h.weight * g, up = A(1) - rows[j].weight, down = rows[j].weight;
          top[h.first] += up * left;
          top[h.second] += up * right;
          bottom[h.first] += down * left;
          bottom[h.second] += down * right;
        }
      }
      for (int64_t i = 0; i < height * width; ++i) output[plane * height * width + i] = store_as<T>(sum[size_t(i)]);
    }
  });
}

}  // namespace

void interpolate_bilinear_kernel(Cpu, const Tensor& x, Tensor& y) {
  visit_dtype(Floats{}, x.dtype(), "interpolate_bilinear", [&]<class T>() { resize<T>(x, y); });
}

void interpolate_bilinear_backward_kernel(Cpu, const Tensor& grad, Tensor& grad_x) {
  visit_dtype(Floats{}, grad.dtype(), "interpolate_bilinear_backward", [&]<class T>() { scatter<T>(grad, grad_x); });
}

}  // namespace plumb
