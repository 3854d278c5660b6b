#pragma once

// Elementwise walks over dense arrays of one type: a thread moves 16 bytes of each at a time, which is what it takes to
// reach the memory's full rate; the last elements go one by one.

#include "engine/cuda/launch.cuh"
#include "engine/ops/reduce/convert.h"

namespace plumb {

/// As many elements as one load moves.
template <class T>
struct alignas(16) Pack {
  static constexpr int kSize = int(16 / sizeof(T));
  T item[kSize];
};

inline bool is_aligned_for_packs(const void* data) { return reinterpret_cast<uintptr_t>(data) % 16 == 0; }

/// N arrays in; null: the scalar instead.
template <class C, int N>
struct FlatInputs {
  const void* data[N];
  C scalar[N];
};

template <class T, int N, class F>
__global__ void flat_kernel(FlatInputs<Compute<T>, N> in, T* out, int64_t count, F f) {
  using C = Compute<T>;
  const int64_t packs = count / Pack<T>::kSize, step = int64_t(gridDim.x) * blockDim.x;
  const int64_t first = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  for (int64_t i = first; i < packs; i += step) {
    Pack<T> loaded[N], result;
    for (int k = 0; k < N; ++k)
      if (in.data[k]) loaded[k] = static_cast<const Pack<T>*>(in.data[k])[i];
    for (int j = 0; j < Pack<T>::kSize; ++j) {
      C values[N];
      for (int k = 0; k < N; ++k) values[k] = in.data[k] ? load_as<C>(loaded[k].item[j]) : in.scalar[k];
      result.item[j] = store_as<T>(f(values));
    }
    reinterpret_cast<Pack<T>*>(out)[i] = result;
  }
  for (int64_t i = packs * Pack<T>::kSize + first; i < count; i += step) {
    C values[N];
    for (int k = 0; k < N; ++k)
      values[k] = in.data[k] ? load_as<C>(static_cast<const T*>(in.data[k])[i]) : in.scalar[k];
    out[i] = store_as<T>(f(values));
  }
}

}  // namespace plumb
