#pragma once

#include "engine/random/generator.h"
#include "engine/random/random_key.h"
#include "engine/tensor.h"

namespace plumb {

// Draws by key. Row r of the first dimension is sample key.sample0 + r, so the draw of a sample does not depend on the
// batch it is in; the rest of the shape is numbered through in row-major order. A 0-d tensor is one row.
// 16-bit results are f32 draws rounded once. All throw ValueError for a key past its limits (random_key.h), ShapeError
// for a negative size, DTypeError for a dtype they do not make.

/// Standard normal. dtype: floating.
Tensor randn(const RandomKey& key, const Shape& shape, DType dtype = DType::f32, Device device = kCpu);
/// Uniform on [0, 1); rounding to 16 bits can give 1. dtype: floating.
Tensor rand(const RandomKey& key, const Shape& shape, DType dtype = DType::f32, Device device = kCpu);
/// i64 in [low, high). Throws ValueError when low >= high.
Tensor randint(const RandomKey& key, int64_t low, int64_t high, const Shape& shape, Device device = kCpu);

// Draws in sequence, exactly those of torch's CPU generator for a contiguous tensor of this shape. dtype: f32 or f64.

/// mean + deviation * standard normal.
Tensor randn(Generator& generator, const Shape& shape, DType dtype = DType::f32, double mean = 0, double deviation = 1);
/// Uniform on [low, high).
Tensor uniform(Generator& generator, const Shape& shape, double low = 0, double high = 1, DType dtype = DType::f32);
/// i64 in [low, high).
Tensor randint(Generator& generator, int64_t low, int64_t high, const Shape& shape);

}  // namespace plumb
