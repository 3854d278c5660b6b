#include "engine/ops/conv/conv2d_reference.h"

#include "engine/ops/reference/array.h"

namespace plumb::reference {
namespace {

/// One product of the sum: y[n, o, i, j] += weight[o, c, u, v] x[n, in, row, column].
struct Term {
  int64_t n, o, i, j;       // of y
  int64_t c, u, v;          // of weight, with o
  int64_t in, row, column;  // of x, with n
};

/// Calls add(term) for every term inside the picture. All three directions are this one sum: each term multiplies two
/// of y, weight and x into the third.
template <class F>
void for_each_term(const Shape& x, const Shape& weight, const Shape& y, const Conv2dOptions& p, F add) {
  const int64_t out_per_group = weight[0] / p.groups;
  for (int64_t n = 0; n < y[0]; ++n)
    for (int64_t o = 0; o < y[1]; ++o)
      for (int64_t i = 0; i < y[2]; ++i)
        for (int64_t j = 0; j < y[3]; ++j)
          for (int64_t c = 0; c < weight[1]; ++c)
            for (int64_t u = 0; u < weight[2]; ++u)
              for (int64_t v = 0; v < weight[3]; ++v) {
                const int64_t row = i * p.stride.height - p.padding.height + u * p.dilation.height;
                const int64_t column = j * p.stride.width - p.padding.width + v * p.dilation.width;
                if (row < 0 || row >= x[2] || column < 0 || column >= x[3]) continue;
                const int64_t in = o / out_per_group * weight[1] + c;
                add(Term{n, o, i, j, c, u, v, in, row, column});
              }
}

int64_t output_size(int64_t input, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation) {
  return (input + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
}

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& p) {
  const Array pictures(x), kernels(weight);
  Array y({x.size(0), weight.size(0),
           output_size(x.size(2), weight.size(2), p.stride.height, p.padding.height, p.dilation.height),
           output_size(x.size(3), weight.size(3), p.stride.width, p.padding.width, p.dilation.width)});
  if (bias.defined()) {
    const Array offset(bias);
    for (int64_t n = 0; n < y.size(0); ++n)
      for (int64_t o = 0; o < y.size(1); ++o)
        for (int64_t i = 0; i < y.size(2); ++i)
          for (int64_t j = 0; j < y.size(3); ++j) y(n, o, i, j) = offset(o);
  }
  for_each_term(x.shape(), weight.shape(), y.shape(), p, [&](const Term& t) {
    y(t.n, t.o, t.i, t.j) += kernels(t.o, t.c, t.u, t.v) * pictures(t.n, t.in, t.row, t.column);
  });
  return y.to_tensor();
}

Tensor conv2d_backward_x(const Tensor& grad, const Tensor& weight, const Shape& x_shape, const Conv2dOptions& options) {
  const Array dy(grad), kernels(weight);
  Array dx(x_shape);
  for_each_term(x_shape, weight.shape(), grad.shape(), options, [&](const Term& t) {
    dx(t.n, t.in, t.row, t.column) += kernels(t.o, t.c, t.u, t.v) * dy(t.n, t.o, t.i, t.j);
  });
  return dx.to_tensor();
}

Tensor conv2d_backward_weight(const Tensor& grad, const Tensor& x, const Shape& weight_shape,
                              const Conv2dOptions& options) {
  const Array dy(grad), pictures(x);
  Array dw(weight_shape);
  for_each_term(x.shape(), weight_shape, grad.shape(), options, [&](const Term& t) {
    dw(t.o, t.c, t.u, t.v) += dy(t.n, t.o, t.i, t.j) * pictures(t.n, t.in, t.row, t.column);
  });
  return dw.to_tensor();
}

}  // namespace plumb::reference
