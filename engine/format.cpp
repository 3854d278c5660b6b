#include "engine/format.h"

#include <fmt/format.h>

#include "engine/tensor.h"

namespace plumb {

std::string to_string(const Dims& dims) { return fmt::format("[{}]", fmt::join(dims.begin(), dims.end(), ", ")); }

std::string to_string(Device device) { return device.is_cpu() ? "cpu" : fmt::format("cuda:{}", device.index); }

std::string to_string(const Tensor& tensor) {
  if (!tensor.defined()) return "undefined";
  std::string text = name_of(tensor.dtype()) + to_string(tensor.shape());
  if (!tensor.device().is_cpu()) text += " on " + to_string(tensor.device());
  return text;
}

}  // namespace plumb
