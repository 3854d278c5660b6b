#pragma once

// The fast path of layer norm and rms norm: rows held in registers (engine/cuda/row_packs.cuh), every array of one
// type. Bytes moved are the least: forward reads x and writes y, backward reads grad and x and writes grad_x. 640
// channels of bf16 are 80 packs: a warp a row, 48 bytes in flight a thread. The gradients of weight and bias read grad
// and x again, by columns (engine/cuda/pixel_packs.cuh).

#include "engine/cuda/pixel_packs.cuh"
#include "engine/cuda/row_packs.cuh"
#include "engine/ops/norm/norm_rows_cuda.cuh"

namespace plumb {
namespace {

template <class T, int kRowThreads, int kHeld>
__global__ void __launch_bounds__(kThreads) norm_forward_packs(NormForward p, int64_t rows, bool centred) {
  using Row = RowPacks<T, kRowThreads, kHeld>;
  const int64_t row = Row::row();
  if (row >= rows) return;
  const int packs = int(p.width) / Row::kSize;
  const T* from = static_cast<const T*>(p.x.data) + row * p.width;
  // Relative to the first element, so that a mean far from zero costs no digits.
  const float shift = centred ? to_float(from[0]) : 0.0f;
  Row x;
  x.load(from, packs, shift);
  float mean = 0, squares = 0;
  x.each([&](float& value, int, int) { mean += value -= shift; });
  mean = centred ? Row::sum(mean) / float(p.width) : 0.0f;
  x.each([&](float& value, int i, int) {
    value = Row::has(i, packs) ? value - mean : 0.0f;
    squares += value * value;
  });
  const float rstd = 1.0f / math::sqrt(Row::sum(squares) / float(p.width) + float(p.eps));
  x.each([&](float& value, int, int) { value *= rstd; });
  Row parameter;
  if (p.weight.data) {
    parameter.load(static_cast<const T*>(p.weight.data), packs, 0.0f);
    x.each([&](float& value, int i, int k) { value *= parameter.values[i][k]; });
  }
  if (p.bias.data) {
    parameter.load(static_cast<const T*>(p.bias.data), packs, 0.0f);
    x.each([&](float& value, int i, int k) { value += parameter.values[i][k]; });
  }
  x.store(static_cast<T*>(p.y.data) + row * p.width, packs);
  if (Row::first() != 0) return;
  if (p.mean.data) static_cast<float*>(p.mean.data)[row] = shift + mean;
  static_cast<float*>(p.rstd.data)[row] = rstd;
}

template <class T, int kRowThreads, int kHeld>
__global__ void __launch_bounds__(kThreads) norm_backward_packs(NormBackward p, int64_t rows) {
  using Row = RowPacks<T, kRowThreads, kHeld>;
  const int64_t row = Row::row();
  if (row >= rows) return;
  const int packs = int(p.width) / Row::kSize;
  const bool centred = p.mean.data != nullptr;
  const float mean = centred ? static_cast<const float*>(p.mean.data)[row] : 0.0f,
              rstd = static_cast<const float*>(p.rstd.data)[row];
  Row x, h;
  x.load(static_cast<const T*>(p.x.data) + row * p.width, packs, 0.0f);
  h.load(static_cast<const T*>(p.grad.data) + row * p.width, packs, 0.0f);
  if (p.weight.data) {
    Row weight;
    weight.load(static_cast<const T*>(p.weight.data), packs, 0.0f);
    h.each([&](float& value, int i, int k) { value *= weight.values[i][k]; });
  }
  float level = 0, projected = 0;
  x.each([&](float& value, int i, int k) {
    value = (value - mean) * rstd;
    level += h.values[i][k];
    projected += h.values[i][k] * value;
  });
  level = centred ? Row::sum(level) / float(p.width) : 0.0f;
  projected = Row::sum(projected) / float(p.width);
  h.each([&](float& value, int i, int k) { value = rstd * (value - level - x.values[i][k] * projected); });
  h.store(static_cast<T*>(p.grad_x.data) + row * p.width, packs);
}

/// partial[chunk, column] = sums over the chunk's rows of grad normal and of grad.
template <class T>
__global__ void __launch_bounds__(kThreads) norm_parameter_packs(Split s, NormBackward p, SumPair<float>* partial) {
  constexpr int kSize = Pack<T>::kSize;
  const Part part(s, false);
  const float *means = static_cast<const float*>(p.mean.data), *rstds = static_cast<const float*>(p.rstd.data);
  SumPair<float> sums[kSize] = {};
  for_each_pixel<T, 2>(s, part, {static_cast<const Pack<T>*>(p.x.data), static_cast<const Pack<T>*>(p.grad.data)},
                       [&](const Pack<T>(&values)[2], int64_t, int row) {
                         const float mean = means ? means[row] : 0.0f, rstd = rstds[row];
                         PLUMB_UNROLL
                         for (int k = 0; k < kSize; ++k) {
                           const float grad = to_float(values[1].item[k]);
                           sums[k] += {grad * ((to_float(values[0].item[k]) - mean) * rstd), grad};
                         }
                       });
  SumPair<float>* to = partial + sums_at(s, part, kSize);
  join_lanes(s, part, sums, [&](int column, const SumPair<float>& sum) { to[column] = sum; });
}

bool fits_norm_packs(DType dtype, int64_t width, std::initializer_list<const NormArray*> arrays) {
  for (const NormArray* each : arrays)
    if (each->data && (each->dtype != dtype || !fits_rows(dtype, width, {each->data}))) return false;
  return true;
}

// wide: where partial sums go, and the results
void norm_parameters_by_packs(const char* op, const Cuda& cuda, const NormBackward& p, const Tensor& rstd,
                              const NormArray& weight, const NormArray& bias) {
  const int64_t rows = rstd.numel();
  visit_dtype(TypeList<float, BFloat16, Float16>{}, p.x.dtype, op, [&]<class T>() {
    const Split split = split_of(1, rows, p.width, Pack<T>::kSize);
    Tensor kept = scratch<SumPair<float>>(split.chunks * p.width, rstd.device());
    auto* partial = static_cast<SumPair<float>*>(kept.raw_mutable_data());
    launch(op, cuda, grid_of(split, 1), norm_parameter_packs<T>, split, p, partial);
    sum_columns<SumPair<float>>(op, cuda, rstd.device(), split.chunks, p.width,
                                PartialOfColumn<SumPair<float>>{partial, p.width},
                                StoreParameters<float>{weight, bias});
  });
}

}  // namespace
}  // namespace plumb
