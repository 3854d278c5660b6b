#include "engine/ops/layout/cat.h"

#include <vector>

#include "engine/format.h"
#include "engine/one_device.h"
#include "engine/ops/layout/cat_kernels.h"
#include "engine/ops/layout/view.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

void check_same_kind(const char* op, const Tensor& first, const Tensor& part) {
  require<DTypeError>(part.dtype() == first.dtype(), "{}: parts must have one dtype; {} and {}", op, first, part);
  require_one_device(op, first, part);
}

Shape joined_shape(std::span<const Tensor> parts, int64_t dim) {
  Shape joined = parts[0].shape();
  joined[dim] = 0;
  for (const Tensor& part : parts) {
    check_same_kind("cat", parts[0], part);
    Shape expected = part.rank() == joined.rank() ? part.shape() : joined;
    if (part.rank() == joined.rank()) expected[dim] = joined[dim];
    require<ShapeError>(part.rank() == joined.rank() && expected == joined,
                        "cat: sizes must agree but for dim {}; {} and {}", dim, parts[0], part);
    joined[dim] += part.shape()[dim];
  }
  return joined;
}

/// Pictures as their memory has them, so that the kernel sees dense rows: [N, H, W, C].
Tensor joined_pictures(std::span<const Tensor> parts, int64_t dim) {
  static constexpr int64_t kPlace[] = {0, 3, 1, 2};  // of N, C, H, W
  std::vector<Tensor> rows;
  rows.reserve(parts.size());
  for (const Tensor& part : parts) rows.push_back(permute(part, {0, 2, 3, 1}));
  return permute(cat(rows, kPlace[dim]), {0, 3, 1, 2});
}

}  // namespace

Tensor cat(std::span<const Tensor> parts, int64_t dim) {
  require<ShapeError>(!parts.empty(), "cat: at least one part is needed ({})", parts.size());
  require<ShapeError>(parts[0].rank() > 0, "cat: parts must have a dimension; {}", parts[0]);
  const int64_t d = normalize_dim("cat", dim, parts[0].rank());
  const Shape shape = joined_shape(parts, d);
  if (!parts[0].is_contiguous() && parts[0].is_channels_last()) return joined_pictures(parts, d);
  const OpScope scope("cat");
  Tensor out = empty(shape, parts[0].dtype(), parts[0].device());
  scope.writes(out);
  scope.reads(out.numel() * size_of(out.dtype()));
  int64_t start = 0;
  for (const Tensor& part : parts) {
    const int64_t size = part.shape()[d];
    if (part.numel() > 0 && part.is_contiguous())
      on_device(out.device(), [&](auto backend) { cat_kernel(backend, part, d, start, out); });
    else
      slice(out, d, start, start + size).copy_(part);
    start += size;
  }
  return out;
}

Tensor stack(std::span<const Tensor> parts, int64_t dim) {
  require<ShapeError>(!parts.empty(), "stack: at least one part is needed ({})", parts.size());
  const int64_t d = normalize_dim("stack", dim, parts[0].rank() + 1);
  std::vector<Tensor> rows;
  rows.reserve(parts.size());
  for (const Tensor& part : parts) {
    check_same_kind("stack", parts[0], part);
    require<ShapeError>(part.shape() == parts[0].shape(), "stack: shapes must agree; {} and {}", parts[0], part);
    rows.push_back(unsqueeze(part, d));
  }
  return cat(rows, d);
}

}  // namespace plumb
