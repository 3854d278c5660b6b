#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "engine/host_device.h"

namespace plumb {

/// Element types of a Tensor. `boolean` is one byte holding 0 or 1.
enum class DType : uint8_t { f32, f64, bf16, f16, i64, i32, u8, boolean };

/// bfloat16: the upper half of a float. Storage only; arithmetic happens in float.
struct BFloat16 {
  uint16_t bits = 0;
  BFloat16() = default;
  /// Rounds to nearest, ties to even; a NaN stays a NaN.
  PLUMB_HOST_DEVICE explicit BFloat16(float value) {
    uint32_t word = __builtin_bit_cast(uint32_t, value);
    bits = value != value ? uint16_t((word >> 16) | 0x40u) : uint16_t((word + 0x7fffu + ((word >> 16) & 1u)) >> 16);
  }
  PLUMB_HOST_DEVICE explicit operator float() const { return __builtin_bit_cast(float, uint32_t(bits) << 16); }
};

/// IEEE binary16. Storage only; arithmetic happens in float.
struct Float16 {
  uint16_t bits = 0;
  Float16() = default;
  /// Rounds to nearest, ties to even; overflows to infinity, keeps subnormals and NaN.
  PLUMB_HOST_DEVICE explicit Float16(float value) {
    const uint32_t word = __builtin_bit_cast(uint32_t, value);
    const uint16_t sign = uint16_t((word >> 16) & 0x8000u);
    const uint32_t magnitude = word & 0x7fffffffu;
    if (magnitude > 0x7f800000u) {
      bits = uint16_t(sign | 0x7e00u);
    } else if (magnitude >= 0x477ff000u) {  // rounds to 65536 or more
      bits = uint16_t(sign | 0x7c00u);
    } else if (magnitude < 0x38800000u) {  // below 2^-14: adding 0.5 lets the FPU round at the subnormal's last place
      const float shifted = __builtin_bit_cast(float, magnitude) + 0.5f;
      bits = uint16_t(sign | (__builtin_bit_cast(uint32_t, shifted) - 0x3f000000u));
    } else {
      bits = uint16_t(sign | ((magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13));
    }
  }
  PLUMB_HOST_DEVICE explicit operator float() const {
    const uint32_t sign = uint32_t(bits & 0x8000u) << 16;
    const uint32_t magnitude = bits & 0x7fffu;
    if (magnitude >= 0x7c00u) return __builtin_bit_cast(float, sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13));
    if (magnitude < 0x400u) {  // subnormal: magnitude * 2^-24, exact in float
      const float value = float(magnitude) * 0x1p-24f;
      return sign ? -value : value;
    }
    return __builtin_bit_cast(float, sign | ((magnitude << 13) + 0x38000000u));
  }
};

template <class T>
inline constexpr bool is_half = std::is_same_v<T, BFloat16> || std::is_same_v<T, Float16>;

namespace detail {
template <class T>
struct AccOf {
  using type = std::conditional_t<std::is_integral_v<T>, int64_t, float>;
};
template <>
struct AccOf<double> {
  using type = double;
};
template <class T>
struct ComputeOf {
  using type = T;
};
template <>
struct ComputeOf<BFloat16> {
  using type = float;
};
template <>
struct ComputeOf<Float16> {
  using type = float;
};
}  // namespace detail

/// The type sums of T are kept in: double for double, float for the other floats, int64 for integers and bool.
template <class T>
using Acc = typename detail::AccOf<T>::type;

/// The type T is computed in: float for the 16-bit floats, T itself otherwise.
template <class T>
using Compute = typename detail::ComputeOf<T>::type;

template <class T>
inline constexpr DType dtype_of = [] {
  if constexpr (std::is_same_v<T, float>) return DType::f32;
  if constexpr (std::is_same_v<T, double>) return DType::f64;
  if constexpr (std::is_same_v<T, BFloat16>) return DType::bf16;
  if constexpr (std::is_same_v<T, Float16>) return DType::f16;
  if constexpr (std::is_same_v<T, int64_t>) return DType::i64;
  if constexpr (std::is_same_v<T, int32_t>) return DType::i32;
  if constexpr (std::is_same_v<T, uint8_t>) return DType::u8;
  if constexpr (std::is_same_v<T, bool>) return DType::boolean;
}();

/// Bytes of one element.
constexpr int64_t size_of(DType dtype) {
  switch (dtype) {
    case DType::f64:
    case DType::i64:
      return 8;
    case DType::f32:
    case DType::i32:
      return 4;
    case DType::bf16:
    case DType::f16:
      return 2;
    case DType::u8:
    case DType::boolean:
      return 1;
  }
  return 0;
}

constexpr bool is_floating(DType dtype) { return dtype <= DType::f16; }

/// f64 for f64, f32 for every other floating type: what losses, statistics and gradients of parameters are kept in.
constexpr DType acc_dtype(DType dtype) { return dtype == DType::f64 ? DType::f64 : DType::f32; }

/// "f32", "bf16", "bool", …
const char* name_of(DType dtype);

template <class... Ts>
struct TypeList {};
using Floats = TypeList<float, double, BFloat16, Float16>;
using Integers = TypeList<int64_t, int32_t, uint8_t>;
using Numbers = TypeList<float, double, BFloat16, Float16, int64_t, int32_t, uint8_t>;
using AllTypes = TypeList<float, double, BFloat16, Float16, int64_t, int32_t, uint8_t, bool>;

/// Throws DTypeError naming the op and the type.
[[noreturn]] void raise_unsupported_dtype(const char* op, DType dtype);

/// The one switch on dtype: calls `f.operator()<T>()` for the type in the list that matches.
///   visit_dtype(Floats{}, x.dtype(), "softmax", [&]<class T>() { softmax_kernel<T>(…); });
/// Throws DTypeError when `dtype` is not in the list.
template <class... Ts, class F>
void visit_dtype(TypeList<Ts...>, DType dtype, const char* op, F&& f) {
  const bool found = ((dtype == dtype_of<Ts> && (f.template operator()<Ts>(), true)) || ...);
  if (!found) [[unlikely]]
    raise_unsupported_dtype(op, dtype);
}

}  // namespace plumb
