#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>

namespace plumb {

inline constexpr int kMaxRank = 8;

/// Up to kMaxRank int64 values stored inline: the sizes of a tensor, its strides, or a list of dimensions.
/// Throws ShapeError when more are given.
class Dims {
 public:
  Dims() = default;
  Dims(std::initializer_list<int64_t> values) : Dims(values.begin(), int64_t(values.size())) {}
  explicit Dims(std::span<const int64_t> values) : Dims(values.data(), int64_t(values.size())) {}
  Dims(const int64_t* values, int64_t count);

  /// `rank` copies of `value`.
  static Dims filled(int64_t rank, int64_t value);

  int64_t rank() const { return rank_; }
  bool empty() const { return rank_ == 0; }
  int64_t& operator[](int64_t i) { return values_[i]; }
  int64_t operator[](int64_t i) const { return values_[i]; }
  /// Element counted from the end: back(0) is the last.
  int64_t back(int64_t i = 0) const { return values_[rank_ - 1 - i]; }

  int64_t* begin() { return values_; }
  int64_t* end() { return values_ + rank_; }
  const int64_t* begin() const { return values_; }
  const int64_t* end() const { return values_ + rank_; }
  operator std::span<const int64_t>() const { return {values_, size_t(rank_)}; }

  void push_back(int64_t value) { insert(rank_, value); }
  void insert(int64_t position, int64_t value);
  void erase(int64_t position);

  bool operator==(const Dims& other) const {
    if (rank_ != other.rank_) return false;
    for (int64_t i = 0; i < rank_; ++i)
      if (values_[i] != other.values_[i]) return false;
    return true;
  }

 private:
  int64_t values_[kMaxRank];
  int64_t rank_ = 0;
};

using Shape = Dims;
using Strides = Dims;

/// Product of the sizes; 1 for rank 0.
inline int64_t numel(const Shape& shape) {
  int64_t count = 1;
  for (int64_t size : shape) count *= size;
  return count;
}

/// Throws ShapeError when a size is negative or the product does not fit in 62 bits.
void check_shape(const char* op, const Shape& shape);

/// Strides of a dense row-major tensor, in elements.
Strides contiguous_strides(const Shape& shape);

/// The shape both broadcast to under NumPy's rules. Throws ShapeError naming the op and both shapes.
Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b);

/// Maps dim in [-rank, rank) to [0, rank). A rank of 0 counts as 1, as in torch. Throws IndexError.
int64_t normalize_dim(const char* op, int64_t dim, int64_t rank);

}  // namespace plumb
