#pragma once

#include <fmt/format.h>

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

}  // namespace plumb

template <>
struct fmt::formatter<plumb::Dims> : fmt::formatter<std::string> {
  auto format(const plumb::Dims& dims, format_context& context) const {
    return formatter<std::string>::format(plumb::to_string(dims), context);
  }
};

template <>
struct fmt::formatter<plumb::DType> : fmt::formatter<std::string> {
  auto format(plumb::DType dtype, format_context& context) const {
    return formatter<std::string>::format(plumb::name_of(dtype), context);
  }
};

template <>
struct fmt::formatter<plumb::Device> : fmt::formatter<std::string> {
  auto format(plumb::Device device, format_context& context) const {
    return formatter<std::string>::format(plumb::to_string(device), context);
  }
};

template <>
struct fmt::formatter<plumb::Tensor> : fmt::formatter<std::string> {
  auto format(const plumb::Tensor& tensor, format_context& context) const {
    return formatter<std::string>::format(plumb::to_string(tensor), context);
  }
};
