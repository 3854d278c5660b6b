#include "nn/layers/timestep_embedding.h"

#include <cmath>

#include "engine/format.h"
#include "engine/ops/elementwise/binary.h"
#include "engine/ops/elementwise/unary.h"
#include "engine/ops/layout/cat.h"
#include "engine/ops/layout/view.h"
#include "engine/require.h"
#include "nn/device_tables.h"

namespace plumb {
namespace {

/// [1, half]. One rounding an operation, as the tensor operations of diffusers.
Tensor frequencies(int64_t half, DType dtype, const TimestepEmbeddingOptions& options) {
  Tensor out = empty({1, half}, dtype);
  visit_dtype(TypeList<float, double>{}, dtype, "timestep_embedding", [&]<class T>() {
    T* values = out.mutable_data<T>();
    for (int64_t i = 0; i < half; ++i) {
      const T exponent = T(-std::log(options.max_period)) * T(i);
      values[i] = std::exp(exponent / T(double(half) - options.downscale_freq_shift));
    }
  });
  return out;
}

Tensor frequencies(int64_t half, DType dtype, const TimestepEmbeddingOptions& options, Device device) {
  // Never destroyed: at the end of the program the device's allocator may be gone before it.
  static const DeviceTables& tables = *new DeviceTables();
  return tables.on(device, {double(half), double(int(dtype)), options.max_period, options.downscale_freq_shift},
                   [&] { return frequencies(half, dtype, options); });
}

}  // namespace

Tensor timestep_embedding(const Tensor& t, int64_t dim, const TimestepEmbeddingOptions& options) {
  require<ShapeError>(t.rank() == 1, "timestep_embedding: timesteps must be [N]; {}", t);
  const int64_t half = dim / 2;
  require<ValueError>(dim >= 2 && double(half) != options.downscale_freq_shift,
                      "timestep_embedding: dim must be at least 2 and half of it differ from downscale_freq_shift "
                      "(dim {}, shift {})",
                      dim, options.downscale_freq_shift);
  const DType dtype = acc_dtype(t.dtype());
  Tensor angle = mul(reshape(t.to(dtype), {t.numel(), 1}), frequencies(half, dtype, options, t.device()));
  if (options.scale != 1) angle = mul(angle, options.scale);
  const Tensor sine = sin(angle), cosine = cos(angle);
  const Tensor both = options.flip_sin_to_cos ? cat({cosine, sine}, 1) : cat({sine, cosine}, 1);
  return dim % 2 == 0 ? both : cat({both, zeros({t.numel(), 1}, dtype, t.device())}, 1);
}

}  // namespace plumb
