#include "engine/dtype.h"

#include "engine/require.h"

namespace plumb {

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
