#include "nn/init.h"

#include <cmath>
#include <span>

#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

struct Fans {
  int64_t in, out;
};

Fans fans_of(const char* op, const Shape& shape) {
  require<ShapeError>(shape.rank() >= 2, "{}: needs at least two dimensions, [outputs, inputs, ...]; {}", op, shape);
  int64_t kernel = 1;
  for (int64_t d = 2; d < shape.rank(); ++d) kernel *= shape[d];
  return {shape[1] * kernel, shape[0] * kernel};
}

template <class F>
void fill(const char* op, Tensor& out, F&& f) {
  require<ShapeError>(out.is_contiguous(), "{}: needs a contiguous tensor; {}", op, out);
  out.bump_version();
  visit_dtype(TypeList<float, double>{}, out.dtype(), op,
              [&]<class T>() { f(std::span<T>(out.mutable_data<T>(), size_t(out.numel()))); });
}

}  // namespace

void Init::uniform(Tensor& out, double low, double high) const {
  if (shapes_only_) return;
  if (!generator_) return void(out.zero_());
  fill("init uniform", out, [&](auto values) { generator_->uniform(values, low, high); });
}

void Init::normal(Tensor& out, double mean, double deviation) const {
  if (shapes_only_) return;
  if (!generator_) return void(out.zero_());
  fill("init normal", out, [&](auto values) { generator_->normal(values, mean, deviation); });
}

void Init::kaiming_uniform(Tensor& out) const {
  const Fans fans = fans_of("init kaiming_uniform", out.shape());
  if (out.numel() == 0) return;
  // torch: gain = sqrt(2 / (1 + a^2)), a = sqrt(5); std = gain / sqrt(fan_in); bound = sqrt(3) * std.
  const double slope = std::sqrt(5.0);
  const double gain = std::sqrt(2.0 / (1 + slope * slope));
  const double bound = std::sqrt(3.0) * (gain / std::sqrt(double(fans.in)));
  uniform(out, -bound, bound);
}

void Init::fan_in_uniform(Tensor& out, int64_t fan_in) const {
  const double bound = fan_in > 0 ? 1 / std::sqrt(double(fan_in)) : 0;
  uniform(out, -bound, bound);
}

void Init::xavier_uniform(Tensor& out, double gain) const {
  const Fans fans = fans_of("init xavier_uniform", out.shape());
  const double deviation = gain * std::sqrt(2.0 / double(fans.in + fans.out));
  const double bound = std::sqrt(3.0) * deviation;
  uniform(out, -bound, bound);
}

}  // namespace plumb
