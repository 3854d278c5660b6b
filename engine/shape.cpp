#include "engine/shape.h"

#include <algorithm>

#include "engine/format.h"
#include "engine/require.h"

namespace plumb {

Dims::Dims(const int64_t* values, int64_t count) : rank_(count) {
  require<ShapeError>(count <= kMaxRank, "shape: at most {} dimensions are supported ({})", kMaxRank, count);
  std::copy(values, values + count, values_);
}

Dims Dims::filled(int64_t rank, int64_t value) {
  Dims dims;
  for (int64_t i = 0; i < rank; ++i) dims.push_back(value);
  return dims;
}

void Dims::insert(int64_t position, int64_t value) {
  require<ShapeError>(rank_ < kMaxRank, "shape: at most {} dimensions are supported ({})", kMaxRank, rank_ + 1);
  std::copy_backward(values_ + position, values_ + rank_, values_ + rank_ + 1);
  values_[position] = value;
  ++rank_;
}

void Dims::erase(int64_t position) {
  std::copy(values_ + position + 1, values_ + rank_, values_ + position);
  --rank_;
}

void check_shape(const char* op, const Shape& shape) {
  int64_t count = 1;
  for (int64_t size : shape) {
    require<ShapeError>(size >= 0, "{}: sizes must not be negative; {}", op, shape);
    // An empty dimension does not excuse the others: strides are products too.
    require<ShapeError>(
        !__builtin_mul_overflow(count, std::max<int64_t>(size, 1), &count) && count < (int64_t(1) << 62),
        "{}: too many elements; {}", op, shape);
  }
}

Strides contiguous_strides(const Shape& shape) {
  Strides strides = shape;
  int64_t step = 1;
  for (int64_t i = shape.rank() - 1; i >= 0; --i) {
    strides[i] = step;
    step *= std::max<int64_t>(shape[i], 1);
  }
  return strides;
}

Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b) {
  Shape out = a.rank() >= b.rank() ? a : b;
  const Shape& small = a.rank() >= b.rank() ? b : a;
  for (int64_t i = 0; i < small.rank(); ++i) {
    int64_t& size = out[out.rank() - 1 - i];
    const int64_t other = small.back(i);
    require<ShapeError>(size == other || size == 1 || other == 1, "{}: shapes do not broadcast; {} and {}", op, a, b);
    if (size == 1) size = other;
  }
  return out;
}

int64_t normalize_dim(const char* op, int64_t dim, int64_t rank) {
  const int64_t limit = std::max<int64_t>(rank, 1);
  require<IndexError>(dim >= -limit && dim < limit, "{}: dim must be in [{}, {}] ({})", op, -limit, limit - 1, dim);
  return dim < 0 ? dim + limit : dim;
}

}  // namespace plumb
