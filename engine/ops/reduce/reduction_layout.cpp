#include "engine/ops/reduce/reduction_layout.h"

#include <utility>

#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// Appends a dimension, merging it into the last one where it lies directly behind.
void append(Shape& sizes, Strides& strides, int64_t size, int64_t stride) {
  if (size == 1) return;
  if (!sizes.empty() && strides.back() == stride * size) {
    sizes[sizes.rank() - 1] *= size;
    strides[strides.rank() - 1] = stride;
    return;
  }
  sizes.push_back(size);
  strides.push_back(stride);
}

void sort_by_stride(Shape& sizes, Strides& strides) {
  for (int64_t i = 1; i < sizes.rank(); ++i)
    for (int64_t j = i; j > 0 && strides[j - 1] < strides[j]; --j) {
      std::swap(sizes[j - 1], sizes[j]);
      std::swap(strides[j - 1], strides[j]);
    }
}

void ensure_rank_one(Shape& sizes, Strides& strides) {
  if (!sizes.empty()) return;
  sizes.push_back(1);
  strides.push_back(1);
}

}  // namespace

DimMask dim_mask(const char* op, const Tensor& x, const Dims& dims) {
  const DimMask all = (DimMask(1) << x.rank()) - 1;
  if (dims.empty()) return all;
  DimMask mask = 0;
  for (int64_t dim : dims) {
    const DimMask bit = DimMask(1) << normalize_dim(op, dim, x.rank());
    require<ValueError>(!(mask & bit), "{}: a dim may be listed once ({}); {}", op, dims, x);
    mask |= bit;
  }
  return mask & all;
}

Shape reduced_shape(const Shape& shape, DimMask mask, bool keepdim) {
  Shape out;
  for (int64_t d = 0; d < shape.rank(); ++d) {
    const bool reduced = mask >> d & 1;
    if (!reduced || keepdim) out.push_back(reduced ? 1 : shape[d]);
  }
  return out;
}

int64_t reduced_count(const Shape& shape, DimMask mask) {
  int64_t count = 1;
  for (int64_t d = 0; d < shape.rank(); ++d)
    if (mask >> d & 1) count *= shape[d];
  return count;
}

Tensor expand_reduced(const Tensor& reduced, const Shape& shape, DimMask mask) {
  const bool keepdim = reduced.rank() == shape.rank();
  Strides strides = Dims::filled(shape.rank(), 0);
  int64_t next = 0;
  for (int64_t d = 0; d < shape.rank(); ++d) {
    const bool is_reduced = mask >> d & 1;
    if (!is_reduced) strides[d] = reduced.strides()[next];
    if (!is_reduced || keepdim) ++next;
  }
  return reduced.view_as(shape, strides, reduced.offset());
}

ReductionLayout reduction_layout(const Tensor& x, DimMask mask, bool keep_order) {
  ReductionLayout layout;
  Shape sizes;
  Strides strides;
  for (int64_t d = 0; d < x.rank(); ++d) {
    const int64_t size = x.shape()[d], stride = x.strides()[d];
    if (mask >> d & 1) {
      layout.count *= size;
      sizes.push_back(size);
      strides.push_back(stride);
    } else {
      layout.outputs *= size;
      append(layout.kept, layout.kept_strides, size, stride);
    }
  }
  if (!keep_order) sort_by_stride(sizes, strides);
  for (int64_t d = 0; d < sizes.rank(); ++d) append(layout.reduced, layout.reduced_strides, sizes[d], strides[d]);
  ensure_rank_one(layout.kept, layout.kept_strides);
  ensure_rank_one(layout.reduced, layout.reduced_strides);
  return layout;
}

}  // namespace plumb
