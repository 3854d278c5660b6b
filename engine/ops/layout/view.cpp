#include "engine/ops/layout/view.h"

#include <algorithm>
#include <optional>

#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

Shape infer_size(const Tensor& x, const Shape& shape) {
  Shape full = shape;
  int64_t inferred = -1, known = 1;
  for (int64_t d = 0; d < full.rank(); ++d) {
    if (full[d] != -1) {
      require<ShapeError>(full[d] >= 0, "reshape: sizes must be -1 or not negative ({}); {}", shape, x);
      known *= full[d];
      continue;
    }
    require<ShapeError>(inferred < 0, "reshape: only one size can be inferred ({}); {}", shape, x);
    inferred = d;
  }
  if (inferred >= 0) {
    require<ShapeError>(known > 0 && x.numel() % known == 0,
                        "reshape: size -1 cannot be inferred, the others must divide {} elements ({}); {}", x.numel(),
                        shape, x);
    full[inferred] = x.numel() / known;
  }
  check_shape("reshape", full);
  require<ShapeError>(numel(full) == x.numel(), "reshape: shape must hold {} elements ({}); {}", x.numel(), shape, x);
  return full;
}

/// Strides under which x's memory reads as `shape`, if there are any: each run of x's dimensions that lie behind each
/// other without gaps can be cut up anew, and nothing else can.
std::optional<Strides> strides_for_view(const Tensor& x, const Shape& shape) {
  if (x.numel() == 0 || x.is_contiguous()) return contiguous_strides(shape);
  Strides strides = Dims::filled(shape.rank(), 1);
  int64_t target = shape.rank() - 1;
  int64_t run_stride = x.strides().back(), run_size = 1;
  for (int64_t d = x.rank() - 1; d >= 0; --d) {
    run_size *= x.shape()[d];
    const bool run_ends = d == 0 || (x.shape()[d - 1] != 1 && x.strides()[d - 1] != run_size * run_stride);
    if (!run_ends) continue;
    int64_t placed = 1;
    for (; target >= 0 && (placed < run_size || shape[target] == 1); --target) {
      strides[target] = placed * run_stride;
      placed *= shape[target];
    }
    if (placed != run_size) return std::nullopt;
    if (d > 0) {
      run_stride = x.strides()[d - 1];
      run_size = 1;
    }
  }
  return strides;
}

struct Range {
  int64_t start, count;
};

/// Python's clamping of a slice to [0, size).
Range clamp_range(int64_t size, int64_t start, int64_t end, int64_t step) {
  if (start < 0) start += size;
  if (end < 0) end += size;
  start = std::clamp<int64_t>(start, 0, size);
  end = std::clamp<int64_t>(end, start, size);
  return {start, end == start ? 0 : (end - start - 1) / step + 1};
}

}  // namespace

Tensor reshape(const Tensor& x, const Shape& shape) {
  const Shape full = infer_size(x, shape);
  if (const std::optional<Strides> strides = strides_for_view(x, full)) return x.view_as(full, *strides, x.offset());
  return x.clone().view_as(full, contiguous_strides(full), 0);
}

Tensor flatten(const Tensor& x, int64_t start, int64_t end) {
  const int64_t first = normalize_dim("flatten", start, x.rank()), last = normalize_dim("flatten", end, x.rank());
  require<ShapeError>(first <= last, "flatten: start must not come after end (start {}, end {}); {}", start, end, x);
  if (x.rank() == 0) return reshape(x, {1});
  Shape shape;
  int64_t merged = 1;
  for (int64_t d = 0; d < x.rank(); ++d) {
    if (d >= first && d <= last) merged *= x.shape()[d];
    if (d == last) shape.push_back(merged);
    if (d < first || d > last) shape.push_back(x.shape()[d]);
  }
  return reshape(x, shape);
}

Tensor permute(const Tensor& x, const Dims& dims) {
  require<ShapeError>(dims.rank() == x.rank(), "permute: dims must name every dimension once ({}); {}", dims, x);
  Shape shape = x.shape();
  Strides strides = x.strides();
  uint32_t seen = 0;
  for (int64_t i = 0; i < dims.rank(); ++i) {
    const int64_t from = normalize_dim("permute", dims[i], x.rank());
    require<ShapeError>(!(seen >> from & 1u), "permute: dims must name every dimension once ({}); {}", dims, x);
    seen |= 1u << from;
    shape[i] = x.shape()[from];
    strides[i] = x.strides()[from];
  }
  return x.view_as(shape, strides, x.offset());
}

Dims inverse_permutation(const Dims& dims) {
  Dims inverse = dims;
  for (int64_t i = 0; i < dims.rank(); ++i) inverse[dims[i] < 0 ? dims[i] + dims.rank() : dims[i]] = i;
  return inverse;
}

Tensor transpose(const Tensor& x, int64_t first, int64_t second) {
  const int64_t a = normalize_dim("transpose", first, x.rank()), b = normalize_dim("transpose", second, x.rank());
  Shape shape = x.shape();
  Strides strides = x.strides();
  if (x.rank() > 0) {
    std::swap(shape[a], shape[b]);
    std::swap(strides[a], strides[b]);
  }
  return x.view_as(shape, strides, x.offset());
}

Tensor expand(const Tensor& x, const Shape& shape) {
  const int64_t lead = shape.rank() - x.rank();
  require<ShapeError>(lead >= 0, "expand: shape must have at least the tensor's rank ({}); {}", shape, x);
  Shape full = shape;
  Strides strides = Dims::filled(shape.rank(), 0);
  for (int64_t d = 0; d < full.rank(); ++d) {
    if (d >= lead && full[d] == -1) full[d] = x.shape()[d - lead];
    require<ShapeError>(full[d] >= 0, "expand: -1 may stand only where the tensor has a dimension ({}); {}", shape, x);
    if (d < lead) continue;
    const int64_t size = x.shape()[d - lead];
    require<ShapeError>(size == full[d] || size == 1, "expand: only dimensions of size 1 can be repeated ({}); {}",
                        shape, x);
    if (size == full[d]) strides[d] = x.strides()[d - lead];
  }
  check_shape("expand", full);
  return x.view_as(full, strides, x.offset());
}

Tensor slice(const Tensor& x, int64_t dim, int64_t start, int64_t end, int64_t step) {
  require<ShapeError>(x.rank() > 0, "slice: tensor must have a dimension; {}", x);
  require<ValueError>(step >= 1, "slice: step must be positive ({}); {}", step, x);
  const int64_t d = normalize_dim("slice", dim, x.rank());
  const Range range = clamp_range(x.shape()[d], start, end, step);
  Shape shape = x.shape();
  Strides strides = x.strides();
  shape[d] = range.count;
  strides[d] *= step;
  // An empty slice starts where x does, so that no pointer ever leaves the storage.
  return x.view_as(shape, strides, x.offset() + (range.count == 0 ? 0 : range.start * x.strides()[d]));
}

Tensor select(const Tensor& x, int64_t dim, int64_t index) {
  require<ShapeError>(x.rank() > 0, "select: tensor must have a dimension; {}", x);
  const int64_t d = normalize_dim("select", dim, x.rank());
  const int64_t size = x.shape()[d];
  require<IndexError>(index >= -size && index < size, "select: index must be in [{}, {}] ({}); {}", -size, size - 1,
                      index, x);
  Shape shape = x.shape();
  Strides strides = x.strides();
  shape.erase(d);
  strides.erase(d);
  return x.view_as(shape, strides, x.offset() + (index < 0 ? index + size : index) * x.strides()[d]);
}

Tensor squeeze(const Tensor& x, const Dims& dims) {
  uint32_t listed = dims.empty() ? ~0u : 0u;
  for (int64_t dim : dims) listed |= 1u << normalize_dim("squeeze", dim, x.rank());
  Shape shape;
  Strides strides;
  for (int64_t d = 0; d < x.rank(); ++d) {
    if (x.shape()[d] == 1 && (listed >> d & 1u)) continue;
    shape.push_back(x.shape()[d]);
    strides.push_back(x.strides()[d]);
  }
  return x.view_as(shape, strides, x.offset());
}

Tensor unsqueeze(const Tensor& x, int64_t dim) {
  const int64_t d = normalize_dim("unsqueeze", dim, x.rank() + 1);
  Shape shape = x.shape();
  Strides strides = x.strides();
  // The stride a dense tensor would have; that of a size-1 dimension is never used.
  strides.insert(d, d < x.rank() ? shape[d] * strides[d] : 1);
  shape.insert(d, 1);
  return x.view_as(shape, strides, x.offset());
}

Tensor to_channels_last(const Tensor& x) {
  require<ShapeError>(x.rank() == 4, "to_channels_last: x must be [N, C, H, W]; {}", x);
  return x.is_channels_last() ? x : permute(permute(x, {0, 2, 3, 1}).contiguous(), {0, 3, 1, 2});
}

Tensor slice_backward(const Tensor& grad, const Shape& shape, int64_t dim, const SliceRange& range) {
  Tensor full = zeros(shape, grad.dtype(), grad.device());
  slice(full, dim, range.start, range.end, range.step).copy_(grad);
  return full;
}

Tensor select_backward(const Tensor& grad, const Shape& shape, int64_t dim, int64_t index) {
  Tensor full = zeros(shape, grad.dtype(), grad.device());
  select(full, dim, index).copy_(grad);
  return full;
}

}  // namespace plumb
