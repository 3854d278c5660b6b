#pragma once

#include <fmt/core.h>

#include <string>

#include "engine/device.h"
#include "engine/dtype.h"
#include "engine/shape.h"

namespace plumb {

class Tensor;

/// "[2, 3]".
std::string to_string(const Dims& dims);
/// "cpu" or "cuda:0".
std::string to_string(Device device);
/// "f32[2, 3]", with " on cuda:0" off the CPU; "undefined" for an undefined tensor. Shape and type, never the values.
std::string to_string(const Tensor& tensor);

/// Formats as text, by "{}" alone. fmt/core.h has no formatter of strings to inherit from, and fmt/format.h, which has,
/// takes a fifth of a second more to compile wherever it is included.
struct TextFormatter {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }

 protected:
  static fmt::appender write(fmt::string_view text, fmt::format_context& context) {
    fmt::appender out = context.out();
    for (const char c : text) *out++ = c;
    return out;
  }
};

}  // namespace plumb

template <>
struct fmt::formatter<plumb::Dims> : plumb::TextFormatter {
  auto format(const plumb::Dims& dims, format_context& context) const { return write(plumb::to_string(dims), context); }
};

template <>
struct fmt::formatter<plumb::DType> : plumb::TextFormatter {
  auto format(plumb::DType dtype, format_context& context) const { return write(plumb::name_of(dtype), context); }
};

template <>
struct fmt::formatter<plumb::Device> : plumb::TextFormatter {
  auto format(plumb::Device device, format_context& context) const { return write(plumb::to_string(device), context); }
};

template <>
struct fmt::formatter<plumb::Tensor> : plumb::TextFormatter {
  auto format(const plumb::Tensor& tensor, format_context& context) const {
    return write(plumb::to_string(tensor), context);
  }
};
