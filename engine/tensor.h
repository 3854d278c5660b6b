#pragma once

#include <cassert>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "engine/device.h"
#include "engine/dtype.h"
#include "engine/intrusive.h"
#include "engine/shape.h"
#include "engine/storage.h"

namespace plumb {

/// What a Tensor handle points to. Pooled; shapes are inline, so making a view allocates nothing.
struct TensorRecord : RefCounted<TensorRecord> {
  Ref<Storage> storage;
  int64_t offset = 0;  // in elements
  int64_t numel = 0;
  Shape shape;
  Strides strides;  // in elements; 0 along expanded dimensions
  DType dtype = DType::f32;
  bool contiguous = true;

  static void destroy(TensorRecord* record);
};

/// A strided n-dimensional array: a small value handle (one pointer). Copying shares; views share the storage;
/// clone() copies. It knows nothing of gradients (see autograd/variable.h).
/// Shapes of images are always [N, C, H, W]; memory may be in channels-last order.
class Tensor {
 public:
  Tensor() = default;

  bool defined() const { return bool(record_); }
  explicit operator bool() const { return defined(); }

  DType dtype() const { return record_->dtype; }
  Device device() const { return record_->storage->device(); }
  const Shape& shape() const { return record_->shape; }
  const Strides& strides() const { return record_->strides; }
  int64_t rank() const { return record_->shape.rank(); }
  int64_t numel() const { return record_->numel; }
  int64_t offset() const { return record_->offset; }
  /// Size of one dimension; negative dims count from the end. Throws IndexError.
  int64_t size(int64_t dim) const;

  /// Elements lie in row-major order without gaps (dimensions of size 1 may have any stride).
  bool is_contiguous() const { return record_->contiguous; }
  /// Rank 4 and dense in N, H, W, C order.
  bool is_channels_last() const;
  /// This tensor if contiguous, else a contiguous copy.
  Tensor contiguous() const;
  /// A fresh contiguous copy.
  Tensor clone() const;
  /// A copy converted to `dtype` (rounding once, truncating to integers, != 0 for bool); itself when it already has it.
  Tensor to(DType dtype) const;
  /// A copy on `device`; itself when it is there already. The memory order of a tensor without gaps is kept
  /// (channels-last, say), others become contiguous. Throws DeviceError when the device is not there.
  Tensor to(Device device) const;

  const void* raw_data() const { return bytes(); }
  void* raw_mutable_data() { return bytes(); }
  /// First element. The caller has checked the dtype; strides apply.
  template <class T>
  const T* data() const {
    assert(dtype_of<T> == dtype());
    return static_cast<const T*>(raw_data());
  }
  /// For kernels filling a fresh output. In-place ops on shared data must also call bump_version().
  template <class T>
  T* mutable_data() {
    assert(dtype_of<T> == dtype());
    return static_cast<T*>(raw_mutable_data());
  }

  /// The single element as T, copied from its device. Throws ShapeError when numel is not 1.
  template <class T = double>
  T item() const {
    return static_cast<T>(item_as_double());
  }
  /// All elements in row-major order, converted to T. For tests and small results.
  template <class T>
  std::vector<T> to_vector() const;

  // In-place writes. All bump the storage's version; all throw on dtype or shape mismatch.
  /// Sets every element to `value`.
  Tensor& fill_(double value);
  Tensor& zero_() { return fill_(0); }
  /// Copies `source` (broadcast to this shape, converted to this dtype) into this tensor.
  Tensor& copy_(const Tensor& source);
  /// this += alpha * other (broadcast to this shape).
  Tensor& add_(const Tensor& other, double alpha = 1);
  /// this *= factor.
  Tensor& mul_(double factor);

  const Ref<Storage>& storage() const { return record_->storage; }
  uint32_t version() const { return record_->storage->version(); }
  void bump_version() { record_->storage->bump_version(); }
  /// No other handle and no view can see these elements: they may be written without anybody noticing.
  bool is_exclusive() const { return record_->use_count() == 1 && record_->storage->use_count() == 1; }
  /// Both handles point to the same record.
  bool is_same(const Tensor& other) const { return record_ == other.record_; }

  /// A view of the same storage: offset in elements from the storage's start. The caller guarantees bounds.
  Tensor view_as(const Shape& shape, const Strides& strides, int64_t offset) const;
  /// A tensor over given storage. The caller guarantees bounds.
  static Tensor over(Ref<Storage> storage, DType dtype, const Shape& shape, const Strides& strides, int64_t offset);

 private:
  friend Tensor empty(const Shape& shape, DType dtype, Device device);

  char* bytes() const {
    return static_cast<char*>(record_->storage->data()) + record_->offset * size_of(record_->dtype);
  }
  double item_as_double() const;

  Ref<TensorRecord> record_;
};

/// Uninitialised contiguous tensor. Throws ShapeError on negative sizes or overflow, MemoryError.
Tensor empty(const Shape& shape, DType dtype = DType::f32, Device device = kCpu);
/// Uninitialised tensor of x's shape, dtype and device; channels-last if x is, contiguous otherwise.
Tensor empty_like(const Tensor& x);
Tensor empty_like(const Tensor& x, DType dtype);
Tensor zeros(const Shape& shape, DType dtype = DType::f32, Device device = kCpu);
Tensor ones(const Shape& shape, DType dtype = DType::f32, Device device = kCpu);
Tensor full(const Shape& shape, double value, DType dtype = DType::f32, Device device = kCpu);
Tensor zeros_like(const Tensor& x);
/// 0-d tensor.
Tensor scalar(double value, DType dtype = DType::f32, Device device = kCpu);
/// start, start + step, … below `end`. Throws ValueError when step is 0 or points away from end.
Tensor arange(double start, double end, double step = 1, DType dtype = DType::i64);
/// Copies `values` (row-major). T picks the dtype. Throws ShapeError when the count does not match.
template <class T>
Tensor from_vector(const std::vector<T>& values, const Shape& shape);

}  // namespace plumb
