#pragma once

#include <initializer_list>
#include <span>

#include "autograd/variable.h"
#include "engine/ops/layout/cat.h"
#include "engine/ops/layout/flip.h"
#include "engine/ops/layout/pad.h"
#include "engine/ops/layout/roll.h"
#include "engine/ops/layout/view.h"

// Differentiable overloads of engine/ops/layout; shapes, dtypes and errors are documented there. Views of a Variable
// share its value's memory.

namespace plumb {

Variable reshape(const Variable& x, const Shape& shape);
Variable flatten(const Variable& x, int64_t start = 0, int64_t end = -1);
Variable permute(const Variable& x, const Dims& dims);
Variable transpose(const Variable& x, int64_t first, int64_t second);
Variable expand(const Variable& x, const Shape& shape);
Variable slice(const Variable& x, int64_t dim, int64_t start, int64_t end = kEnd, int64_t step = 1);
Variable select(const Variable& x, int64_t dim, int64_t index);
Variable squeeze(const Variable& x, const Dims& dims = {});
Variable unsqueeze(const Variable& x, int64_t dim);
/// The gradient of these two is brought back into x's memory order, so that a network that works channels-last, and
/// hands out a contiguous result, runs backward channels-last, too.
Variable contiguous(const Variable& x);
Variable to_channels_last(const Variable& x);
/// The gradient is converted back to x's dtype. A constant when either dtype is not floating.
Variable to(const Variable& x, DType dtype);

Variable flip(const Variable& x, const Dims& dims);
Variable roll(const Variable& x, const Dims& shifts, const Dims& dims = {});
Variable pad(const Variable& x, const Dims& amounts, double value = 0);

Variable cat(std::span<const Variable> parts, int64_t dim);
inline Variable cat(std::initializer_list<Variable> parts, int64_t dim) {
  return cat(std::span<const Variable>(parts.begin(), parts.size()), dim);
}
Variable stack(std::span<const Variable> parts, int64_t dim);
inline Variable stack(std::initializer_list<Variable> parts, int64_t dim) {
  return stack(std::span<const Variable>(parts.begin(), parts.size()), dim);
}

}  // namespace plumb
