#include "engine/dtype.h"

#include "engine/require.h"

namespace plumb {

Float16::Float16(float value) {
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

Float16::operator float() const {
  const uint32_t sign = uint32_t(bits & 0x8000u) << 16;
  const uint32_t magnitude = bits & 0x7fffu;
  if (magnitude >= 0x7c00u) return __builtin_bit_cast(float, sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13));
  if (magnitude < 0x400u) {  // subnormal: magnitude * 2^-24, exact in float
    const float value = float(magnitude) * 0x1p-24f;
    return sign ? -value : value;
  }
  return __builtin_bit_cast(float, sign | ((magnitude << 13) + 0x38000000u));
}

const char* name_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "f32";
    case DType::f64:
      return "f64";
    case DType::bf16:
      return "bf16";
    case DType::f16:
      return "f16";
    case DType::i64:
      return "i64";
    case DType::i32:
      return "i32";
    case DType::u8:
      return "u8";
    case DType::boolean:
      return "bool";
  }
  return "?";
}

void raise_unsupported_dtype(const char* op, DType dtype) {
  raise<DTypeError>("{}: does not take this element type ({})", op, name_of(dtype));
}

}  // namespace plumb
