#pragma once

// Internal: passes over the rows of linear's gradient. Compiled once an instruction set (engine/isa/kernels.h).

#include <cstdint>

#include "engine/simd.h"

namespace plumb::PLUMB_ISA {
namespace {

/// sum[j] = column sums of `count` rows, four rows a pass, so that the sums are read and written a quarter as often as
/// the rows.
template <class T>
void sum_rows(const T* rows, int64_t count, int64_t width, int64_t stride, T* sum) {
  for (int64_t j = 0; j < width; ++j) sum[j] = T(0);
  int64_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const T* row = rows + i * stride;
    vector_loop(width,
                [=](int64_t j) { sum[j] += (row[j] + row[stride + j]) + (row[2 * stride + j] + row[3 * stride + j]); });
  }
  for (; i < count; ++i) {
    const T* row = rows + i * stride;
    vector_loop(width, [=](int64_t j) { sum[j] += row[j]; });
  }
}

/// out = grad * factor over `count` contiguous rows, and sum_rows of it in the same pass and order. out may be grad.
template <class T>
void scale_and_sum_rows(const T* grad, const T* factor, int64_t count, int64_t width, T* out, T* sum) {
  for (int64_t j = 0; j < width; ++j) sum[j] = T(0);
  int64_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const T *g = grad + i * width, *f = factor + i * width;
    T* to = out + i * width;
    vector_loop(width, [=](int64_t j) {
      const T a = g[j] * f[j], b = g[width + j] * f[width + j];
      const T c = g[2 * width + j] * f[2 * width + j], d = g[3 * width + j] * f[3 * width + j];
      to[j] = a;
      to[width + j] = b;
      to[2 * width + j] = c;
      to[3 * width + j] = d;
      sum[j] += (a + b) + (c + d);
    });
  }
  for (; i < count; ++i) {
    const T *g = grad + i * width, *f = factor + i * width;
    T* to = out + i * width;
    vector_loop(width, [=](int64_t j) {
      const T a = g[j] * f[j];
      to[j] = a;
      sum[j] += a;
    });
  }
}

}  // namespace
}  // namespace plumb::PLUMB_ISA
