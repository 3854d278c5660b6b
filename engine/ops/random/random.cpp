#include "engine/ops/random/random.h"

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/ops/random/random_kernels.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

Rows rows_of(const Shape& shape) {
  if (shape.empty()) return {1, 1};
  int64_t elements = 1;
  for (int64_t dim = 1; dim < shape.rank(); ++dim) elements *= shape[dim];
  return {shape[0], elements};
}

// What is drawn for a result of `dtype`.
Tensor empty_draw(const char* op, const Shape& shape, DType dtype, Device device) {
  require<DTypeError>(is_floating(dtype), "{}: dtype must be floating ({}); shape {}", op, dtype, shape);
  return empty(shape, acc_dtype(dtype), device);
}

template <class T>
std::span<T> span_of(Tensor& tensor) {
  return {tensor.mutable_data<T>(), size_t(tensor.numel())};
}

template <class F>
Tensor draw_in_sequence(const char* op, const Shape& shape, DType dtype, F&& draw) {
  Tensor out = empty(shape, dtype);
  visit_dtype(TypeList<float, double>{}, dtype, op, [&]<class T>() { draw(span_of<T>(out)); });
  return out;
}

}  // namespace

Tensor randn(const RandomKey& key, const Shape& shape, DType dtype, Device device) {
  const OpScope scope("randn");
  Tensor out = empty_draw("randn", shape, dtype, device);
  scope.writes(out);
  on_device(device, [&](auto backend) { randn_kernel(backend, key, rows_of(shape), out); });
  return out.to(dtype);
}

Tensor rand(const RandomKey& key, const Shape& shape, DType dtype, Device device) {
  const OpScope scope("rand");
  Tensor out = empty_draw("rand", shape, dtype, device);
  scope.writes(out);
  on_device(device, [&](auto backend) { rand_kernel(backend, key, rows_of(shape), out); });
  return out.to(dtype);
}

Tensor randint(const RandomKey& key, int64_t low, int64_t high, const Shape& shape, Device device) {
  const OpScope scope("randint");
  Tensor out = empty(shape, DType::i64, device);
  scope.writes(out);
  on_device(device, [&](auto backend) { randint_kernel(backend, key, rows_of(shape), low, high, out); });
  return out;
}

Tensor randn(Generator& generator, const Shape& shape, DType dtype, double mean, double deviation) {
  return draw_in_sequence("randn", shape, dtype, [&](auto out) { generator.normal(out, mean, deviation); });
}

Tensor uniform(Generator& generator, const Shape& shape, double low, double high, DType dtype) {
  return draw_in_sequence("uniform", shape, dtype, [&](auto out) { generator.uniform(out, low, high); });
}

Tensor randint(Generator& generator, int64_t low, int64_t high, const Shape& shape) {
  Tensor out = empty(shape, DType::i64);
  generator.randint(span_of<int64_t>(out), low, high);
  return out;
}

}  // namespace plumb
