#include "engine/ops/layout/cat.h"

#include <vector>

#include "autograd/ops/layout.h"
#include "autograd/record.h"

namespace plumb {
namespace {

std::vector<Tensor> values_of(std::span<const Variable> parts) {
  std::vector<Tensor> values;
  values.reserve(parts.size());
  for (const Variable& part : parts) values.push_back(part.value());
  return values;
}

/// A view, or for channels of channels-last pictures a copy: every kernel that goes on from there wants dense pixels.
Tensor part_of(const Tensor& grad, int64_t dim, int64_t begin, int64_t end) {
  const Tensor part = slice(grad, dim, begin, end);
  return dim == 1 && !grad.is_contiguous() && grad.is_channels_last() ? to_channels_last(part) : part;
}

}  // namespace

Variable cat(std::span<const Variable> parts, int64_t dim) {
  const std::vector<Tensor> values = values_of(parts);
  Tensor joined = cat(values, dim);
  const int64_t d = normalize_dim("cat", dim, joined.rank());
  if (!needs_of(parts).any()) return Variable(std::move(joined));
  std::vector<int64_t> sizes;
  for (const Tensor& value : values) sizes.push_back(value.shape()[d]);
  return record("cat", std::move(joined), parts, save(),
                [d, sizes = std::move(sizes)](const Saved&, const Tensor& grad, Needs wanted) {
                  std::vector<Tensor> grads;
                  int64_t start = 0;
                  for (size_t i = 0; i < sizes.size(); ++i) {
                    grads.push_back(wanted[int(i)] ? part_of(grad, d, start, start + sizes[i]) : Tensor());
                    start += sizes[i];
                  }
                  return Grads(std::move(grads));
                });
}

Variable stack(std::span<const Variable> parts, int64_t dim) {
  Tensor stacked = stack(values_of(parts), dim);
  const int64_t d = normalize_dim("stack", dim, stacked.rank());
  const int64_t count = int64_t(parts.size());
  return record("stack", std::move(stacked), parts, save(), [d, count](const Saved&, const Tensor& grad, Needs wanted) {
    std::vector<Tensor> grads;
    for (int64_t i = 0; i < count; ++i) grads.push_back(wanted[int(i)] ? select(grad, d, i) : Tensor());
    return Grads(std::move(grads));
  });
}

}  // namespace plumb
