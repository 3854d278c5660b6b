#pragma once

#include "engine/random/generator.h"
#include "engine/tensor.h"
#include "nn/shape_only.h"

namespace plumb {

/// Where a layer's first values come from: a Generator, or nowhere (zeros) for weights that a file will overwrite.
///   Generator generator(seed);
///   Linear a(2, 128, generator);      // as torch.manual_seed(seed); nn.Linear(2, 128)
///   Linear b(2, 128, Init::zeros());
///   Linear c(2, 128, Init::shapes());  // no memory: for counting, and for weights that are taken over (nn/adopt.h)
/// Every fill takes a contiguous f32 or f64 tensor and draws in the order torch does, so that the same seed gives
/// torch's values: uniforms bit for bit, normals to a few units in the last place (see Generator). Throws DTypeError
/// for other types.
class Init {
 public:
  Init(Generator& generator) : generator_(&generator) {}
  static Init zeros() { return Init(); }
  /// Weights with shape and dtype but no memory; a parameter made of one throws when it is used before it has got one.
  static Init shapes() {
    Init init;
    init.shapes_only_ = true;
    return init;
  }

  /// The tensor of a weight, to be filled by one of the functions below.
  Tensor allocate(const Shape& shape, DType dtype = DType::f32) const {
    return shapes_only_ ? shape_only(shape, dtype) : empty(shape, dtype);
  }

  /// U(low, high).
  void uniform(Tensor& out, double low, double high) const;
  /// N(mean, deviation^2).
  void normal(Tensor& out, double mean, double deviation) const;
  /// kaiming_uniform_(a = sqrt 5) as nn.Linear and nn.Conv2d call it: U(-1, 1) / sqrt(fan_in), computed as torch does
  /// (gain, then standard deviation, then bound). out: [outputs, inputs, kernel…], fan_in = inputs * kernel.
  void kaiming_uniform(Tensor& out) const;
  /// U(-1 / sqrt(fan_in), 1 / sqrt(fan_in)): the bias of nn.Linear and nn.Conv2d. fan_in 0 gives zeros.
  void fan_in_uniform(Tensor& out, int64_t fan_in) const;
  /// xavier_uniform_: U(-b, b), b = gain * sqrt(6 / (fan_in + fan_out)).
  void xavier_uniform(Tensor& out, double gain = 1) const;

 private:
  Init() = default;
  Generator* generator_ = nullptr;
  bool shapes_only_ = false;
};

}  // namespace plumb
