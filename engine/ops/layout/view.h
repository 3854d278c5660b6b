#pragma once

#include <limits>

#include "engine/tensor.h"

// Ops that return a view: same storage, other shape and strides, nothing copied (reshape copies when it must). All
// dtypes. All are differentiable through the overloads in autograd/ops/layout.h. Negative dims count from the end.

namespace plumb {

/// "Up to the last element" for slice.
inline constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();

/// x's elements in row-major order under another shape; one size may be -1 and is inferred. A view where the strides
/// allow it, a copy otherwise. Throws ShapeError when the element counts differ or -1 cannot be inferred.
Tensor reshape(const Tensor& x, const Shape& shape);

/// Merges dimensions start to end, both included, into one (0-d gives [1]). Throws IndexError, or ShapeError when start
/// comes after end.
Tensor flatten(const Tensor& x, int64_t start = 0, int64_t end = -1);

/// Dimension i of the result is dimension dims[i] of x. Throws ShapeError when dims is not a permutation, IndexError.
Tensor permute(const Tensor& x, const Dims& dims);

/// Swaps two dimensions. Throws IndexError.
Tensor transpose(const Tensor& x, int64_t first, int64_t second);

/// Repeats dimensions of size 1, and adds leading ones, until x has `shape`, without copying; -1 keeps a size.
/// Gradient: summed over what was repeated (sum_to). Throws ShapeError.
Tensor expand(const Tensor& x, const Shape& shape);

/// Elements start, start + step, … below end along dim; start and end are clamped as in Python, negative ones count
/// from the end. Throws ValueError when step < 1, IndexError when dim is out of range, ShapeError for 0-d.
Tensor slice(const Tensor& x, int64_t dim, int64_t start, int64_t end = kEnd, int64_t step = 1);

/// The part at `index` along dim, with that dimension removed. Throws IndexError, ShapeError for 0-d.
Tensor select(const Tensor& x, int64_t dim, int64_t index);

/// Removes the listed dimensions where their size is 1 (all of them when none is listed). Throws IndexError.
Tensor squeeze(const Tensor& x, const Dims& dims = {});

/// Inserts a dimension of size 1 at dim, in [-rank - 1, rank]. Throws IndexError.
Tensor unsqueeze(const Tensor& x, int64_t dim);

/// x if contiguous, else a contiguous copy. The member function as a free one, so that it overloads with Variable.
inline Tensor contiguous(const Tensor& x) { return x.contiguous(); }

/// x if its channels lie innermost in memory, else a copy in that order. x: [N, C, H, W]. Throws ShapeError.
Tensor to_channels_last(const Tensor& x);

/// x converted to `dtype`; see Tensor::to.
inline Tensor to(const Tensor& x, DType dtype) { return x.to(dtype); }

/// Arguments of a slice along one dimension.
struct SliceRange {
  int64_t start = 0, end = kEnd, step = 1;
};
/// Gradient of slice: zeros of `shape`, x's shape, with grad at the elements that were taken.
Tensor slice_backward(const Tensor& grad, const Shape& shape, int64_t dim, const SliceRange& range);

/// Gradient of select: zeros of `shape`, x's shape, with grad at `index` along dim.
Tensor select_backward(const Tensor& grad, const Shape& shape, int64_t dim, int64_t index);

/// The permutation that undoes permute(·, dims).
Dims inverse_permutation(const Dims& dims);

}  // namespace plumb
