#pragma once

// Elements whose type is known at run time only. The switch is the same for a whole launch, so it costs a predicted
// branch beside a memory access, and saves a kernel for every pair of types.

#include <cuda_runtime.h>

#include <cstdint>

#include "engine/ops/reduce/convert.h"

namespace plumb {

/// Element `i` as C: float, double or int64_t.
template <class C>
__device__ inline C load_element(const void* data, DType dtype, int64_t i) {
  switch (dtype) {
    case DType::f32:
      return load_as<C>(static_cast<const float*>(data)[i]);
    case DType::f64:
      return load_as<C>(static_cast<const double*>(data)[i]);
    case DType::bf16:
      return load_as<C>(static_cast<const BFloat16*>(data)[i]);
    case DType::f16:
      return load_as<C>(static_cast<const Float16*>(data)[i]);
    case DType::i64:
      return load_as<C>(static_cast<const int64_t*>(data)[i]);
    case DType::i32:
      return load_as<C>(static_cast<const int32_t*>(data)[i]);
    case DType::u8:
      return load_as<C>(static_cast<const uint8_t*>(data)[i]);
    case DType::boolean:
      return load_as<C>(static_cast<const bool*>(data)[i]);
  }
  return C(0);
}

/// Rounds once; != 0 for bool.
template <class C>
__device__ inline void store_element(void* data, DType dtype, int64_t i, C value) {
  switch (dtype) {
    case DType::f32:
      static_cast<float*>(data)[i] = store_as<float>(value);
      break;
    case DType::f64:
      static_cast<double*>(data)[i] = store_as<double>(value);
      break;
    case DType::bf16:
      static_cast<BFloat16*>(data)[i] = store_as<BFloat16>(value);
      break;
    case DType::f16:
      static_cast<Float16*>(data)[i] = store_as<Float16>(value);
      break;
    case DType::i64:
      static_cast<int64_t*>(data)[i] = store_as<int64_t>(value);
      break;
    case DType::i32:
      static_cast<int32_t*>(data)[i] = store_as<int32_t>(value);
      break;
    case DType::u8:
      static_cast<uint8_t*>(data)[i] = store_as<uint8_t>(value);
      break;
    case DType::boolean:
      static_cast<bool*>(data)[i] = store_as<bool>(value);
      break;
  }
}

/// Calls f.operator()<C>() with the type that elements of `dtype` are computed in: float for f32 and the 16-bit floats,
/// double for f64, int64_t for integers and bool.
template <class F>
void visit_element_type(DType dtype, F&& f) {
  if (dtype == DType::f64)
    f.template operator()<double>();
  else if (is_floating(dtype))
    f.template operator()<float>();
  else
    f.template operator()<int64_t>();
}

}  // namespace plumb
