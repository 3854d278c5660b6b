#pragma once

// Rows that fit registers: read from memory once, 16 bytes a load and all loads of a row in flight at once, worked on
// there, written once. Up to 32 x kHeld packs a warp takes a row by itself (eight rows a block, no barrier), beyond
// that a block does. Sums by shuffles, in a fixed order.

#include <initializer_list>

#include "engine/cuda/flat.cuh"
#include "engine/cuda/half.cuh"
#include "engine/cuda/sums.cuh"

namespace plumb {

/// A row's packs held by this thread: numbers first, first + kRowThreads, …
template <class T, int kRowThreads, int kHeld>
struct RowPacks {
  static constexpr int kSize = Pack<T>::kSize;
  float values[kHeld][kSize];

  __device__ static int first() { return int(threadIdx.x) % kRowThreads; }
  __device__ static int64_t row() {
    return int64_t(blockIdx.x) * (blockDim.x / kRowThreads) + threadIdx.x / kRowThreads;
  }
  __device__ static bool has(int held, int packs) { return first() + held * kRowThreads < packs; }

  /// `absent` where the row has ended.
  __device__ void load(const T* data, int packs, float absent) {
    Pack<T> raw[kHeld] = {};
    PLUMB_UNROLL
    for (int i = 0; i < kHeld; ++i)
      if (has(i, packs)) raw[i] = reinterpret_cast<const Pack<T>*>(data)[first() + i * kRowThreads];
    PLUMB_UNROLL
    for (int i = 0; i < kHeld; ++i) {
      PLUMB_UNROLL
      for (int k = 0; k < kSize; ++k) values[i][k] = has(i, packs) ? to_float(raw[i].item[k]) : absent;
    }
  }
  __device__ void store(T* data, int packs) const {
    PLUMB_UNROLL
    for (int i = 0; i < kHeld; ++i) {
      if (!has(i, packs)) continue;
      Pack<T> raw;
      PLUMB_UNROLL
      for (int k = 0; k < kSize; ++k) raw.item[k] = from_float<T>(values[i][k]);
      reinterpret_cast<Pack<T>*>(data)[first() + i * kRowThreads] = raw;
    }
  }
  /// use(value, number held, number in its pack) for all held, those behind the end of the row too.
  template <class F>
  __device__ void each(F&& use) {
    PLUMB_UNROLL
    for (int i = 0; i < kHeld; ++i) {
      PLUMB_UNROLL
      for (int k = 0; k < kSize; ++k) use(values[i][k], i, k);
    }
  }
  __device__ static float sum(float value) {
    if constexpr (kRowThreads > kWarp) {
      return block_sum(value);
    } else {
      for (int lanes = kWarp / 2; lanes > 0; lanes /= 2) value += __shfl_xor_sync(0xffffffffu, value, lanes);
      return value;
    }
  }
  __device__ static float max(float value) {
    if constexpr (kRowThreads > kWarp) {
      return block_max(value);
    } else {
      for (int lanes = kWarp / 2; lanes > 0; lanes /= 2) {
        const float other = __shfl_xor_sync(0xffffffffu, value, lanes);
        value = other > value ? other : value;
      }
      return value;
    }
  }
};

/// Whether rows of `width` elements from `data` on can be held; null data can.
inline bool fits_rows(DType dtype, int64_t width, std::initializer_list<const void*> data) {
  const int64_t size = size_of(dtype);
  if ((dtype != DType::f32 && size != 2) || width * size % 16 != 0 || width * size / 16 > kThreads * 4) return false;
  for (const void* each : data)
    if (!is_aligned_for_packs(each)) return false;
  return true;
}

/// Calls f.operator()<T, threads of a row, packs a thread holds>(grid) for rows that fit.
template <class F>
void visit_rows(DType dtype, int64_t rows, int64_t width, F&& f) {
  visit_dtype(TypeList<float, BFloat16, Float16>{}, dtype, "rows", [&]<class T>() {
    const int64_t packs = width / Pack<T>::kSize;
    const Grid warps{ceil_div(rows, kThreads / kWarp)}, blocks{rows};
    if (packs <= kWarp * 2)
      f.template operator()<T, kWarp, 2>(warps);
    else if (packs <= kWarp * 5)
      f.template operator()<T, kWarp, 5>(warps);
    else
      f.template operator()<T, kThreads, 4>(blocks);
  });
}

}  // namespace plumb
