#include "tests/support/numeric.h"

#include <cmath>
#include <limits>

#include "engine/ops/layout/view.h"

namespace plumb::test {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// SplitMix64: a test generator of its own, so that a fault in the library's cannot hide here.
double uniform(uint64_t& state) {
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return double((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

}  // namespace

Tensor random_tensor(const Shape& shape, uint64_t seed, DType dtype) {
  Tensor x = empty(shape, DType::f64);
  for (int64_t i = 0; i < x.numel(); ++i) x.mutable_data<double>()[i] = uniform(seed) * 4 - 2;
  return x.to(dtype);
}

Tensor reversed_memory(const Tensor& x) {
  Strides strides = x.shape();
  int64_t step = 1;
  for (int64_t d = 0; d < x.rank(); ++d) {
    strides[d] = step;
    step *= x.shape()[d];
  }
  Tensor copy = empty({x.numel() + 3}, x.dtype()).view_as(x.shape(), strides, 3);
  copy.copy_(x);
  return copy;
}

Tensor channels_last(const Tensor& x) { return permute(permute(x, {0, 2, 3, 1}).contiguous(), {0, 3, 1, 2}); }

Tensor with_gaps(const Tensor& x) {
  Strides strides = contiguous_strides(x.shape());
  for (int64_t& stride : strides) stride *= 2;
  Tensor copy = empty({2 * x.numel() + 1}, x.dtype()).view_as(x.shape(), strides, 1);
  copy.copy_(x);
  return copy;
}

double relative_error(double actual, double expected) {
  if (std::isnan(expected)) return std::isnan(actual) ? 0 : kInfinity;
  if (actual == expected) return 0;
  const double error = std::abs(actual - expected) / (1 + std::abs(expected));
  return error <= std::numeric_limits<double>::max() ? error : kInfinity;
}

double worst_error(const Tensor& actual, const std::vector<double>& expected) {
  const std::vector<double> values = actual.to_vector<double>();
  if (values.size() != expected.size()) return kInfinity;
  double worst = 0;
  for (size_t i = 0; i < values.size(); ++i) worst = std::max(worst, relative_error(values[i], expected[i]));
  return worst;
}

double norm_error(const Tensor& got, const Tensor& expected) {
  if (got.shape() != expected.shape()) return kInfinity;
  return norm_error(got.to_vector<double>(), expected.to_vector<double>());
}

double norm_error(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return kInfinity;
  double difference = 0, size = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i]) {
      if (std::isfinite(b[i])) size += b[i] * b[i];
      continue;
    }
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) return kInfinity;
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  return std::sqrt(difference) / (size > 0 ? std::sqrt(size) : 1);
}

std::string bits_of(const Tensor& x) {
  const Tensor dense = x.contiguous();
  return std::string(static_cast<const char*>(dense.raw_data()), size_t(dense.numel() * size_of(dense.dtype())));
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

}  // namespace plumb::test
