#include "engine/tensor.h"

#include <cmath>
#include <new>

#include "engine/backend.h"
#include "engine/cuda/capture.h"
#include "engine/cuda/transfer.h"
#include "engine/format.h"
#include "engine/ops/copy/copy_kernels.h"
#include "engine/pool.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

using RecordPool = BlockPool<sizeof(TensorRecord)>;

bool strides_are_contiguous(const Shape& shape, const Strides& strides) {
  int64_t step = 1;
  for (int64_t d = shape.rank() - 1; d >= 0; --d) {
    if (shape[d] == 0) return true;
    if (shape[d] != 1 && strides[d] != step) return false;
    step *= shape[d];
  }
  return true;
}

Strides channels_last_strides(const Shape& shape) {
  return {shape[1] * shape[2] * shape[3], 1, shape[3] * shape[1], shape[1]};
}

/// Whether the elements fill one stretch of memory, in whatever order of the dimensions.
bool has_no_gaps(const Shape& shape, const Strides& strides) {
  int64_t step = 1, seen = 0;
  for (int64_t round = 0; round < shape.rank(); ++round)
    for (int64_t d = 0; d < shape.rank(); ++d) {
      const bool counted = (seen >> d & 1) != 0;
      if (counted || (shape[d] != 1 && strides[d] != step)) continue;
      seen |= int64_t(1) << d;
      step *= shape[d];
    }
  return numel(shape) == 0 || seen == (int64_t(1) << shape.rank()) - 1;
}

}  // namespace

void TensorRecord::destroy(TensorRecord* record) {
  record->~TensorRecord();
  RecordPool::give(record);
}

int64_t Tensor::size(int64_t dim) const {
  require<IndexError>(dim >= -rank() && dim < rank(), "size: dim must be in [{}, {}] ({}); {}", -rank(), rank() - 1,
                      dim, *this);
  return record_->shape[dim < 0 ? dim + rank() : dim];
}

bool Tensor::is_channels_last() const {
  if (rank() != 4) return false;
  const Shape& s = shape();
  const Strides& t = strides();
  int64_t step = 1;
  for (int64_t d : {int64_t(1), int64_t(3), int64_t(2), int64_t(0)}) {
    if (s[d] == 0) return true;
    if (s[d] != 1 && t[d] != step) return false;
    step *= s[d];
  }
  return true;
}

Tensor Tensor::contiguous() const { return is_contiguous() ? *this : clone(); }

Tensor Tensor::clone() const {
  Tensor copy = empty(shape(), dtype(), device());
  copy.copy_(*this);
  return copy;
}

Tensor Tensor::to(DType target) const {
  if (dtype() == target) return *this;
  Tensor converted = empty_like(*this, target);
  converted.copy_(*this);
  return converted;
}

Tensor Tensor::to(Device target) const {
  if (device() == target) return *this;
  refuse_in_capture("to", "copy between the CPU and a device");
  const bool gapless = has_no_gaps(shape(), strides());
  const Tensor dense = gapless ? *this : contiguous();
  Tensor moved = empty(shape(), dtype(), target);
  if (gapless) moved = moved.view_as(shape(), strides(), 0);
  const size_t bytes = size_t(numel() * size_of(dtype()));
  if (device().is_cpu())
    copy_to_device(dense.raw_data(), moved.raw_mutable_data(), bytes, target);
  else if (target.is_cpu())
    copy_to_host(dense.raw_data(), moved.raw_mutable_data(), bytes, device());
  else
    return dense.to(kCpu).to(target);
  return moved;
}

Tensor& Tensor::fill_(double value) {
  const OpScope scope("fill_");
  scope.writes(*this);
  bump_version();
  if (numel() > 0) on_device(device(), [&](auto backend) { fill_kernel(backend, *this, value); });
  return *this;
}

Tensor& Tensor::copy_(const Tensor& source) {
  const OpScope scope("copy_", source);
  scope.writes(*this);
  require<ShapeError>(broadcast_shapes("copy_", shape(), source.shape()) == shape(),
                      "copy_: source must broadcast to the target's shape; {} into {}", source, *this);
  if (source.device() != device()) return copy_(source.to(device()));
  bump_version();
  if (numel() > 0) on_device(device(), [&](auto backend) { copy_kernel(backend, source, *this); });
  return *this;
}

Tensor& Tensor::add_(const Tensor& other, double alpha) {
  const OpScope scope("add_", *this, other);
  scope.elementwise(*this, 2);
  require<ShapeError>(broadcast_shapes("add_", shape(), other.shape()) == shape(),
                      "add_: operand must broadcast to the target's shape; {} into {}", other, *this);
  require<DTypeError>(is_floating(dtype()) && is_floating(other.dtype()), "add_: takes floating tensors; {} into {}",
                      other, *this);
  bump_version();
  if (numel() > 0) on_device(device(), [&](auto backend) { accumulate_kernel(backend, other, alpha, *this); });
  return *this;
}

Tensor& Tensor::mul_(double factor) {
  const OpScope scope("mul_", *this);
  scope.elementwise(*this);
  require<DTypeError>(is_floating(dtype()), "mul_: takes floating tensors; {}", *this);
  bump_version();
  if (numel() > 0) on_device(device(), [&](auto backend) { scale_kernel(backend, factor, *this); });
  return *this;
}

double Tensor::item_as_double() const {
  require<ShapeError>(numel() == 1, "item: tensor must have one element; {}", *this);
  if (!device().is_cpu()) {
    refuse_in_capture("item", "read what the device computes");
    return to(kCpu).item_as_double();
  }
  double value = 0;
  visit_dtype(AllTypes{}, dtype(), "item", [&]<class T>() { value = double(static_cast<Compute<T>>(*data<T>())); });
  return value;
}

template <class T>
std::vector<T> Tensor::to_vector() const {
  // to() before contiguous(): a converted copy is dense already, so at most one copy is made.
  if (!device().is_cpu()) refuse_in_capture("to_vector", "read what the device computes");
  const Tensor dense = to(kCpu).to(dtype_of<T>).contiguous();
  const T* first = dense.template data<T>();
  return std::vector<T>(first, first + dense.numel());
}
template std::vector<float> Tensor::to_vector() const;
template std::vector<double> Tensor::to_vector() const;
template std::vector<int64_t> Tensor::to_vector() const;
template std::vector<int32_t> Tensor::to_vector() const;
template std::vector<uint8_t> Tensor::to_vector() const;

Tensor Tensor::over(Ref<Storage> storage, DType dtype, const Shape& shape, const Strides& strides, int64_t offset) {
  TensorRecord* record = new (RecordPool::take()) TensorRecord;
  record->storage = std::move(storage);
  record->offset = offset;
  record->numel = plumb::numel(shape);
  record->shape = shape;
  record->strides = strides;
  record->dtype = dtype;
  record->contiguous = strides_are_contiguous(shape, strides);
  Tensor tensor;
  tensor.record_ = Ref<TensorRecord>::adopt(record);
  return tensor;
}

Tensor Tensor::view_as(const Shape& shape, const Strides& strides, int64_t offset) const {
  return over(record_->storage, dtype(), shape, strides, offset);
}

// On the path of every op: one walk gives strides, count and the check that check_shape would make.
Tensor empty(const Shape& shape, DType dtype, Device device) {
  TensorRecord* record = new (RecordPool::take()) TensorRecord;
  Tensor tensor;
  tensor.record_ = Ref<TensorRecord>::adopt(record);
  record->shape = shape;
  record->strides = shape;
  int64_t step = 1;
  bool is_empty = false, is_bad = false;
  for (int64_t d = shape.rank() - 1; d >= 0; --d) {
    const int64_t size = shape[d];
    record->strides[d] = step;
    is_empty |= size == 0;
    is_bad |= size < 0 || __builtin_mul_overflow(step, size == 0 ? 1 : size, &step);
  }
  if (is_bad || step >= (int64_t(1) << 62)) [[unlikely]]
    check_shape("empty", shape);
  record->numel = is_empty ? 0 : step;
  record->dtype = dtype;
  record->storage = Storage::allocate(size_t(record->numel) * size_t(size_of(dtype)), device);
  return tensor;
}

Tensor empty_like(const Tensor& x) { return empty_like(x, x.dtype()); }

Tensor empty_like(const Tensor& x, DType dtype) {
  Tensor like = empty(x.shape(), dtype, x.device());
  if (x.is_contiguous() || !x.is_channels_last()) return like;
  return like.view_as(x.shape(), channels_last_strides(x.shape()), 0);
}

Tensor zeros(const Shape& shape, DType dtype, Device device) { return full(shape, 0, dtype, device); }
Tensor ones(const Shape& shape, DType dtype, Device device) { return full(shape, 1, dtype, device); }

Tensor full(const Shape& shape, double value, DType dtype, Device device) {
  Tensor tensor = empty(shape, dtype, device);
  tensor.fill_(value);
  return tensor;
}

Tensor zeros_like(const Tensor& x) {
  Tensor like = empty_like(x);
  like.zero_();
  return like;
}

Tensor scalar(double value, DType dtype, Device device) { return full({}, value, dtype, device); }

Tensor arange(double start, double end, double step, DType dtype) {
  require<ValueError>(step != 0 && (end - start) / step >= 0 && std::isfinite((end - start) / step),
                      "arange: step must lead from start to end (start {}, end {}, step {})", start, end, step);
  const int64_t count = int64_t(std::ceil((end - start) / step));
  Tensor out = empty({count}, dtype);
  visit_dtype(Numbers{}, dtype, "arange", [&]<class T>() {
    T* values = out.mutable_data<T>();
    for (int64_t i = 0; i < count; ++i) values[i] = T(Compute<T>(start + double(i) * step));
  });
  return out;
}

template <class T>
Tensor from_vector(const std::vector<T>& values, const Shape& shape) {
  require<ShapeError>(int64_t(values.size()) == numel(shape),
                      "from_vector: shape must hold every value ({} values); {}", values.size(), shape);
  Tensor tensor = empty(shape, dtype_of<T>);
  std::copy(values.begin(), values.end(), tensor.mutable_data<T>());
  return tensor;
}
template Tensor from_vector(const std::vector<float>&, const Shape&);
template Tensor from_vector(const std::vector<double>&, const Shape&);
template Tensor from_vector(const std::vector<int64_t>&, const Shape&);
template Tensor from_vector(const std::vector<int32_t>&, const Shape&);
template Tensor from_vector(const std::vector<uint8_t>&, const Shape&);

}  // namespace plumb
