#include "engine/ops/norm/norm_reference.h"

#include <cmath>

#include "engine/ops/reference/array.h"

namespace plumb::reference {
namespace {

/// x as blocks that are normalised each by itself: [blocks, length]. Element i of a block has the scale and shift
/// number parameter(block, i).
struct Blocks {
  Array x;
  std::vector<double> scale, shift;
  int64_t groups = 0, share = 1;  // group norm: blocks are (n, group), and `share` pixels have one parameter

  int64_t parameter(int64_t block, int64_t i) const {
    return groups == 0 ? i : block % groups * (x.size(1) / share) + i / share;
  }
};

std::vector<double> values_or(const Tensor& parameter, int64_t count, double otherwise) {
  if (parameter.defined()) return parameter.to_vector<double>();
  return std::vector<double>(static_cast<size_t>(count), otherwise);
}

Blocks rows_of(const Tensor& x, const Shape& normalized_shape, const Tensor& weight, const Tensor& bias) {
  const int64_t length = numel(normalized_shape);
  const Shape lead(x.shape().begin(), x.rank() - normalized_shape.rank());
  return {Array(x).reshaped({numel(lead), length}), values_or(weight, length, 1), values_or(bias, length, 0)};
}

Blocks groups_of(const Tensor& x, const Tensor& weight, const Tensor& bias, const GroupNormOptions& options) {
  const int64_t channels = x.size(1), blocks = x.size(0) * options.groups;
  const int64_t pixels = numel(Shape(x.shape().begin() + 2, x.rank() - 2));
  return {Array(x).reshaped({blocks, channels / options.groups * pixels}), values_or(weight, channels, 1),
          values_or(bias, channels, 0), options.groups, pixels};
}

/// Of each block: [2, blocks]. Without centring the mean is 0, and the variance the mean square.
Array statistics_of(const Array& x, double eps, bool centred) {
  Array statistics({2, x.size(0)});
  const auto count = static_cast<double>(x.size(1));
  for (int64_t b = 0; b < x.size(0); ++b) {
    double& mean = statistics(0, b);
    double variance = 0;
    for (int64_t i = 0; centred && i < x.size(1); ++i) mean += x(b, i) / count;
    for (int64_t i = 0; i < x.size(1); ++i) variance += (x(b, i) - mean) * (x(b, i) - mean) / count;
    statistics(1, b) = 1 / std::sqrt(variance + eps);
  }
  return statistics;
}

/// (x - mean) * rstd.
Array normalised(const Array& x, const Array& statistics) {
  Array out(x.shape());
  for (int64_t b = 0; b < x.size(0); ++b)
    for (int64_t i = 0; i < x.size(1); ++i) out(b, i) = (x(b, i) - statistics(0, b)) * statistics(1, b);
  return out;
}

Array scaled_and_shifted(const Blocks& blocks, const Array& normal) {
  Array y(normal.shape());
  for (int64_t b = 0; b < y.size(0); ++b)
    for (int64_t i = 0; i < y.size(1); ++i) {
      const auto p = static_cast<size_t>(blocks.parameter(b, i));
      y(b, i) = normal(b, i) * blocks.scale[p] + blocks.shift[p];
    }
  return y;
}

struct Grads {
  Array x, weight, bias;
};

/// With h = grad * weight and n the normalised x: dx = rstd (h - mean(h) - n mean(h n)), the middle term only if the
/// forward took the mean out.
Grads backward(const Blocks& blocks, const Array& grad, const Array& statistics, bool centred) {
  const Array normal = normalised(blocks.x, statistics);
  const auto parameters = static_cast<int64_t>(blocks.scale.size());
  Grads d{Array(grad.shape()), Array({parameters}), Array({parameters})};
  const auto count = static_cast<double>(grad.size(1));
  for (int64_t b = 0; b < grad.size(0); ++b) {
    double mean = 0, along = 0;
    for (int64_t i = 0; i < grad.size(1); ++i) {
      const int64_t p = blocks.parameter(b, i);
      const double h = grad(b, i) * blocks.scale[static_cast<size_t>(p)];
      if (centred) mean += h / count;
      along += h * normal(b, i) / count;
      d.weight(p) += grad(b, i) * normal(b, i);
      d.bias(p) += grad(b, i);
    }
    for (int64_t i = 0; i < grad.size(1); ++i) {
      const double h = grad(b, i) * blocks.scale[static_cast<size_t>(blocks.parameter(b, i))];
      d.x(b, i) = statistics(1, b) * (h - mean - normal(b, i) * along);
    }
  }
  return d;
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

Shape lead_of(const Tensor& x, const Shape& normalized_shape) {
  return Shape(x.shape().begin(), x.rank() - normalized_shape.rank());
}

/// Row `which` of the statistics, in the shape of the rows.
Tensor statistic(const Array& statistics, int64_t which, const Shape& shape) {
  Array one({statistics.size(1)});
  for (int64_t b = 0; b < statistics.size(1); ++b) one(b) = statistics(which, b);
  return one.reshaped(shape).to_tensor();
}

}  // namespace

GroupNormResult group_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const GroupNormOptions& options) {
  const Blocks blocks = groups_of(x, weight, bias, options);
  const Array statistics = statistics_of(blocks.x, options.eps, true);
  Array y = scaled_and_shifted(blocks, normalised(blocks.x, statistics));
  for (int64_t b = 0; options.silu && b < y.size(0); ++b)
    for (int64_t i = 0; i < y.size(1); ++i) y(b, i) *= sigmoid(y(b, i));
  return {y.reshaped(x.shape()).to_tensor(), statistics.reshaped({2, x.size(0), options.groups}).to_tensor()};
}

GroupNormGrads group_norm_backward(const Tensor& grad, const Tensor& x, const Tensor& weight, const Tensor& bias,
                                   const GroupNormOptions& options) {
  const Blocks blocks = groups_of(x, weight, bias, options);
  const Array statistics = statistics_of(blocks.x, options.eps, true);
  Array g = Array(grad).reshaped(blocks.x.shape());
  if (options.silu) {
    const Array z = scaled_and_shifted(blocks, normalised(blocks.x, statistics));
    for (int64_t b = 0; b < g.size(0); ++b)
      for (int64_t i = 0; i < g.size(1); ++i) {
        const double s = sigmoid(z(b, i));
        g(b, i) *= s * (1 + z(b, i) * (1 - s));
      }
  }
  const Grads d = backward(blocks, g, statistics, true);
  return {d.x.reshaped(x.shape()).to_tensor(), d.weight.to_tensor(), d.bias.to_tensor()};
}

LayerNormResult layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight, const Tensor& bias,
                           double eps) {
  const Blocks blocks = rows_of(x, normalized_shape, weight, bias);
  const Array statistics = statistics_of(blocks.x, eps, true);
  const Shape lead = lead_of(x, normalized_shape);
  return {scaled_and_shifted(blocks, normalised(blocks.x, statistics)).reshaped(x.shape()).to_tensor(),
          statistic(statistics, 0, lead), statistic(statistics, 1, lead)};
}

LayerNormGrads layer_norm_backward(const Tensor& grad, const Tensor& x, const Shape& normalized_shape,
                                   const Tensor& weight, double eps) {
  const Blocks blocks = rows_of(x, normalized_shape, weight, {});
  const Grads d = backward(blocks, Array(grad).reshaped(blocks.x.shape()), statistics_of(blocks.x, eps, true), true);
  return {d.x.reshaped(x.shape()).to_tensor(), d.weight.reshaped(normalized_shape).to_tensor(),
          d.bias.reshaped(normalized_shape).to_tensor()};
}

RmsNormResult rms_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight, double eps) {
  const Blocks blocks = rows_of(x, normalized_shape, weight, {});
  const Array statistics = statistics_of(blocks.x, eps, false);
  return {scaled_and_shifted(blocks, normalised(blocks.x, statistics)).reshaped(x.shape()).to_tensor(),
          statistic(statistics, 1, lead_of(x, normalized_shape))};
}

RmsNormGrads rms_norm_backward(const Tensor& grad, const Tensor& x, const Shape& normalized_shape, const Tensor& weight,
                               double eps) {
  const Blocks blocks = rows_of(x, normalized_shape, weight, {});
  const Grads d = backward(blocks, Array(grad).reshaped(blocks.x.shape()), statistics_of(blocks.x, eps, false), false);
  return {d.x.reshaped(x.shape()).to_tensor(), d.weight.reshaped(normalized_shape).to_tensor()};
}

}  // namespace plumb::reference
