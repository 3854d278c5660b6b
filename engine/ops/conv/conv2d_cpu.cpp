// A convolution as a matrix product of patches and kernels. With channels innermost a patch is KH * KW runs of
// neighbours, so a block of rows of the patch matrix is gathered with a few copies a row into scratch that stays in the
// second-level cache, and multiplied at once: the whole matrix, KH * KW times the picture, never exists.
//
//   forward           y[row, o]    = patches of x [row, (u, v, c)]     weight[o, (u, v, c)]^T
//   backward to x     dx[row, c]   = patches of dy [row, (u, v, o)]    weight[(u, v, o), c]
//   backward to w     dw[o, (u, v, c)] = sum over blocks of dy[rows, o]^T patches of x [rows, (u, v, c)]
//
// In f32 rows of the pictures themselves can be the patches (rows_cpu.cpp), which gathers nothing; Winograd's algorithm
// (winograd_cpu.cpp) needs fewer operations. Blocks depend on sizes alone, and the sum over blocks is taken in their
// order: same bits for any number of threads. One channel a group (depth-wise) leaves no product; depthwise_cpu.cpp has
// it.

#include <algorithm>

#include "engine/ceil_div.h"
#include "engine/gemm.h"
#include "engine/isa/kernels.h"
#include "engine/loops.h"
#include "engine/ops/conv/algorithm.h"
#include "engine/ops/conv/conv2d_kernels.h"
#include "engine/ops/conv/depthwise.h"
#include "engine/ops/conv/patches.h"
#include "engine/ops/conv/rows.h"
#include "engine/ops/conv/scatter.h"
#include "engine/ops/conv/scratch.h"
#include "engine/ops/conv/winograd.h"
#include "engine/ops/layout/view.h"
#include "engine/packed_matrix.h"

namespace plumb {
namespace {

constexpr int64_t kScratchElements = int64_t(1) << 18;  // of gathered patches: 1 MiB of floats
constexpr int64_t kLeastRows = 128;                     // so that packing the kernels is repaid
// Parts of the sum over rows that run side by side, each with a bank of its own; fewer when the bank is large, for then
// the product of one block keeps every thread busy.
constexpr int64_t kWeightParts = 16;
constexpr int64_t kPartElements = int64_t(1) << 23;

int64_t rows_of_block(int64_t rows, int64_t columns, int64_t least = kLeastRows) {
  return std::min(rows, std::max(least, kScratchElements / std::max<int64_t>(1, columns)));
}

template <class T>
struct Output {
  T* data;
  int64_t pitch;  // channels of it
  const T* bias;  // of the group, or null
};

/// Fewer columns or less depth are BLAS's (engine/gemm.cpp), which packs for itself.
constexpr int64_t kLeastPacked = 16;

/// A bank of kernels as the right-hand side of one product after the other: in floats packed once for all of them.
template <class T>
class Bank {
 public:
  /// [depth, channels] or, transposed, the reverse.
  Bank(const MatrixView<T>& kernels, int64_t depth, int64_t channels) : kernels_(kernels), channels_(channels) {
    if constexpr (std::is_same_v<T, float>)
      if (plumb::kernels().gemm.tile && std::min(depth, channels) >= kLeastPacked)
        packed_ = PackedMatrix(kernels, depth, channels);
  }

  void multiply(int64_t rows, int64_t depth, const MatrixView<T>& a, const GemmTarget<T>& out) const {
    if constexpr (std::is_same_v<T, float>)
      if (packed_.defined()) return gemm(rows, a, packed_, out);
    gemm<T>({rows, channels_, depth}, a, kernels_, out);
  }

 private:
  MatrixView<T> kernels_;
  int64_t channels_;
  PackedMatrix packed_;
};

/// out[row, j] = patches [row, k] bank[k, j] for all rows; `kernels` is [columns, channels] or, transposed, the
/// reverse.
template <class T>
void multiply_patches(const Patches& patches, int64_t rows, const T* pictures, const MatrixView<T>& kernels,
                      int64_t channels, const Output<T>& out) {
  const int64_t columns = patches.columns(), block = rows_of_block(rows, columns);
  const Bank<T> bank(kernels, columns, channels);
  parallel_for(ceil_div(rows, block), 1, [&](int64_t first, int64_t last) {
    Scratch<T> scratch(patches.is_picture() ? 0 : block * columns);
    for (int64_t b = first; b < last; ++b) {
      const int64_t begin = b * block, end = std::min(rows, begin + block);
      MatrixView<T> a{pictures + begin * patches.pitch + patches.first, patches.pitch};
      if (!patches.is_picture()) {
        patches.gather(pictures, begin, end, scratch.data());
        a = {scratch.data(), columns};
      }
      bank.multiply(end - begin, columns, a, {.data = out.data + begin * out.pitch, .ld = out.pitch, .bias = out.bias});
    }
  });
}

template <class T>
void forward(const ConvGeometry& g, const T* x, const T* weight, const T* bias, T* y) {
  const int64_t rows = g.batch * g.output.height * g.output.width;
  for (int64_t group = 0; group < g.options.groups; ++group) {
    const Patches patches = forward_patches(g, group);
    const int64_t first = group * g.group_out();
    multiply_patches<T>(patches, rows, x, {weight + first * patches.columns(), patches.columns(), true}, g.group_out(),
                        {y + first, g.out_channels, bias ? bias + first : nullptr});
  }
}

/// bank: [groups, KH, KW, O / groups, C / groups].
template <class T>
void backward_x(const ConvGeometry& g, const T* grad, const T* bank, T* grad_x) {
  const int64_t rows = g.batch * g.input.height * g.input.width;
  for (int64_t group = 0; group < g.options.groups; ++group) {
    const Patches patches = backward_patches(g, group);
    multiply_patches<T>(patches, rows, grad, {bank + group * patches.columns() * g.group_in(), g.group_in(), false},
                        g.group_in(), {grad_x + group * g.group_in(), g.in_channels, nullptr});
  }
}

/// Rows [begin, end) of the patch matrix.
struct RowRange {
  int64_t begin, end;
};

/// dw of one group from a range of rows, gathered a block at a time, into sum [O / groups, columns].
template <class T>
void weight_part(const ConvGeometry& g, const Patches& patches, const T* grad, const T* x, const RowRange& range,
                 T* sum) {
  const auto [begin, end] = range;
  // As many rows as the bank has, or adding up banks would cost more than the products.
  const int64_t columns = patches.columns();
  const int64_t block = rows_of_block(end - begin, columns, std::max(kLeastRows, g.group_out()));
  const int64_t size = g.group_out() * columns;
  Scratch<T> scratch(patches.is_picture() ? 0 : block * columns), product(block < end - begin ? size : 0);
  for (int64_t r = begin; r < end; r += block) {
    const int64_t rows = std::min(block, end - r);
    MatrixView<T> b{x + r * patches.pitch + patches.first, patches.pitch};
    if (!patches.is_picture()) {
      patches.gather(x, r, r + rows, scratch.data());
      b = {scratch.data(), columns};
    }
    gemm<T>({g.group_out(), columns, rows}, {grad + r * g.out_channels, g.out_channels, true}, b,
            {.data = r == begin ? sum : product.data(), .ld = columns});
    if (r == begin) continue;
    const T* more = product.data();
    for (int64_t i = 0; i < size; ++i) sum[i] += more[i];
  }
}

template <class T>
void backward_weight(const ConvGeometry& g, const T* grad, const T* x, T* bank) {
  const int64_t rows = g.batch * g.output.height * g.output.width;
  for (int64_t group = 0; group < g.options.groups; ++group) {
    const Patches patches = forward_patches(g, group);
    const int64_t columns = patches.columns(), size = g.group_out() * columns;
    const int64_t most = std::clamp<int64_t>(kPartElements / std::max<int64_t>(1, size), 1, kWeightParts);
    const int64_t part = std::max(rows_of_block(rows, columns), ceil_div(rows, most));
    const int64_t parts = ceil_div(rows, part);
    T* out = bank + group * size;
    Scratch<T> others((parts - 1) * size);
    T* sums = others.data();
    parallel_for(parts, 1, [&](int64_t first, int64_t last) {
      for (int64_t p = first; p < last; ++p)
        weight_part(g, patches, grad + group * g.group_out(), x, {p * part, std::min(rows, (p + 1) * part)},
                    p == 0 ? out : sums + (p - 1) * size);
    });
    for (int64_t p = 1; p < parts; ++p, sums += size)
      for (int64_t i = 0; i < size; ++i) out[i] += sums[i];
  }
}

}  // namespace

void conv2d_kernel(Cpu, const ConvGeometry& g, const Tensor& x, const Tensor& weight, const Tensor& bias, Tensor& y) {
  visit_dtype(TypeList<float, double>{}, x.dtype(), "conv2d", [&]<class T>() {
    const T* offset = bias.defined() ? bias.data<T>() : nullptr;
    if (is_depthwise(g)) return depthwise_forward<T>(g, x.data<T>(), weight.data<T>(), offset, y.mutable_data<T>());
    if constexpr (std::is_same_v<T, float>) {
      if (takes_winograd(ConvDirection::forward, g))
        return winograd_forward(kernels(), g, x.data<T>(), weight.data<T>(), offset, y.mutable_data<T>());
      if (rows_fit(g)) return rows_forward(g, x.data<T>(), weight.data<T>(), offset, y.mutable_data<T>());
    }
    forward<T>(g, x.data<T>(), weight.data<T>(), offset, y.mutable_data<T>());
  });
}

void conv2d_backward_x_kernel(Cpu, const ConvGeometry& g, const Tensor& grad, const Tensor& weight, Tensor& grad_x) {
  visit_dtype(TypeList<float, double>{}, grad.dtype(), "conv2d_backward", [&]<class T>() {
    if (grad.numel() == 0) return void(grad_x.zero_());
    if (is_depthwise(g)) return depthwise_backward_x<T>(g, grad.data<T>(), weight.data<T>(), grad_x.mutable_data<T>());
    if constexpr (std::is_same_v<T, float>) {
      if (takes_winograd(ConvDirection::backward_x, g))
        return winograd_backward_x(kernels(), g, grad.data<T>(), weight.data<T>(), grad_x.mutable_data<T>());
      if (rows_fit_backward_x(g)) return rows_backward_x(g, grad.data<T>(), weight.data<T>(), grad_x.mutable_data<T>());
    }
    if (scatters(g)) return scattered_backward_x<T>(g, grad.data<T>(), weight.data<T>(), grad_x.mutable_data<T>());
    const Tensor bank =
        permute(reshape(weight, {g.options.groups, g.group_out(), g.kernel.height * g.kernel.width, g.group_in()}),
                {0, 2, 1, 3})
            .contiguous();
    backward_x<T>(g, grad.data<T>(), bank.data<T>(), grad_x.mutable_data<T>());
  });
}

void conv2d_backward_weight_kernel(Cpu, const ConvGeometry& g, const Tensor& grad, const Tensor& x,
                                   Tensor& grad_weight) {
  visit_dtype(TypeList<float, double>{}, grad.dtype(), "conv2d_backward", [&]<class T>() {
    if (grad.numel() == 0) return void(grad_weight.zero_());
    T* bank = grad_weight.mutable_data<T>();
    if (is_depthwise(g)) return depthwise_backward_weight<T>(g, grad.data<T>(), x.data<T>(), bank);
    if constexpr (std::is_same_v<T, float>) {
      if (takes_winograd(ConvDirection::backward_weight, g))
        return winograd_backward_weight(kernels(), g, grad.data<T>(), x.data<T>(), bank);
      if (rows_fit_backward_weight(g)) return rows_backward_weight(g, grad.data<T>(), x.data<T>(), bank);
    }
    backward_weight<T>(g, grad.data<T>(), x.data<T>(), bank);
  });
}

}  // namespace plumb
