#pragma once

#include <cstdint>

#include "engine/shape.h"
#include "engine/tensor.h"

// Internal: how a reduction walks its input. Shared by the reduce, softmax, norm and loss families.

namespace plumb {

/// A set of dimensions as bits; small enough to be kept in a backward closure.
using DimMask = uint32_t;

/// Dims (negative allowed; empty = all) as bits. Throws IndexError out of range, ValueError on a repeated dimension.
DimMask dim_mask(const char* op, const Tensor& x, const Dims& dims);

/// `shape` without the dimensions of the mask, or with size 1 there.
Shape reduced_shape(const Shape& shape, DimMask mask, bool keepdim);

/// How many elements of `shape` meet in one output.
int64_t reduced_count(const Shape& shape, DimMask mask);

/// View of a reduced tensor (keepdim or not) as the shape it was reduced from: stride 0 along the mask.
Tensor expand_reduced(const Tensor& reduced, const Shape& shape, DimMask mask);

/// The input split into outputs (row-major in the result) and the elements of one output. Dimensions that lie behind
/// each other are merged; both lists have at least rank 1.
struct ReductionLayout {
  Shape kept, reduced;
  Strides kept_strides, reduced_strides;
  int64_t outputs = 1;
  int64_t count = 1;
};

/// `keep_order`: walk the elements of an output in row-major order (argmax needs it); otherwise in memory order.
ReductionLayout reduction_layout(const Tensor& x, DimMask mask, bool keep_order = false);

}  // namespace plumb
