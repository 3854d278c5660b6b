#include "nn/read_together.h"

#include "engine/ops/layout/cat.h"
#include "engine/ops/layout/view.h"

namespace plumb {

std::vector<std::vector<double>> read_together(std::initializer_list<Tensor> tensors) {
  std::vector<std::vector<double>> values;
  std::vector<Tensor> parts;
  for (const Tensor& tensor : tensors) {
    values.emplace_back();
    if (!tensor.defined()) continue;
    if (tensor.device().is_cpu())
      values.back() = tensor.to_vector<double>();
    else
      parts.push_back(reshape(tensor.to(DType::f64), {tensor.numel()}));
  }
  if (parts.empty()) return values;
  const std::vector<double> all = cat(parts, 0).to_vector<double>();
  size_t at = 0, index = 0;
  for (const Tensor& tensor : tensors) {
    std::vector<double>& own = values[index++];
    if (!tensor.defined() || tensor.device().is_cpu()) continue;
    const size_t count = size_t(tensor.numel());
    own.assign(all.begin() + std::ptrdiff_t(at), all.begin() + std::ptrdiff_t(at + count));
    at += count;
  }
  return values;
}

}  // namespace plumb
