// A thread draws one Philox block, two or four numbers. Bits, counters and the functions from bits to numbers are those
// of the CPU (philox.h, distributions.h), and nothing is contracted: the numbers are the CPU's.

#include "engine/cuda/launch.cuh"
#include "engine/ops/random/random_kernels.h"
#include "engine/random/distributions.h"

namespace plumb {
namespace {

__device__ inline uint64_t wide(uint32_t high, uint32_t low) { return uint64_t(high) << 32 | low; }

struct UniformF32 {
  using Type = float;
  static constexpr int kPerBlock = 4;
  __device__ void operator()(const PhiloxBlock& drawn, float* out) const {
    for (int i = 0; i < 4; ++i) out[i] = uniform_f32(drawn.word[i]);
  }
};
struct UniformF64 {
  using Type = double;
  static constexpr int kPerBlock = 2;
  __device__ void operator()(const PhiloxBlock& drawn, double* out) const {
    for (int i = 0; i < 2; ++i) out[i] = uniform_f64(wide(drawn.word[2 * i], drawn.word[2 * i + 1]));
  }
};
struct NormalF32 {
  using Type = float;
  static constexpr int kPerBlock = 4;
  __device__ void operator()(const PhiloxBlock& drawn, float* out) const {
    for (int i = 0; i < 4; i += 2) {
      const NormalPairF32 pair = normal_pair_f32(drawn.word[i], drawn.word[i + 1]);
      out[i] = pair.cosine;
      out[i + 1] = pair.sine;
    }
  }
};
struct NormalF64 {
  using Type = double;
  static constexpr int kPerBlock = 2;
  __device__ void operator()(const PhiloxBlock& drawn, double* out) const {
    const NormalPairF64 pair = normal_pair_f64(wide(drawn.word[0], drawn.word[1]), wide(drawn.word[2], drawn.word[3]));
    out[0] = pair.cosine;
    out[1] = pair.sine;
  }
};
struct BoundedIntegers {
  using Type = int64_t;
  static constexpr int kPerBlock = 2;
  int64_t low;
  uint64_t range;
  __device__ void operator()(const PhiloxBlock& drawn, int64_t* out) const {
    for (int i = 0; i < 2; ++i)
      out[i] = int64_t(uint64_t(low) + bounded(wide(drawn.word[2 * i], drawn.word[2 * i + 1]), range));
  }
};

/// Flat block f is block f % per_row of row f / per_row; the last of a row may be cut short. step_offset may be null.
template <class Distribution>
__global__ void draw_kernel(RandomKey key, const int64_t* step_offset, uint64_t bits, Rows rows,
                            typename Distribution::Type* out, Distribution distribution) {
  constexpr int64_t kPerBlock = Distribution::kPerBlock;
  const uint64_t key_step = key.step + (step_offset ? uint64_t(*step_offset) : 0);
  const int64_t per_row = (rows.elements + kPerBlock - 1) / kPerBlock, step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t f = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; f < per_row * rows.count; f += step) {
    const int64_t row = f / per_row, block = f % per_row, first = block * kPerBlock;
    const PhiloxBlock drawn = philox(philox_counter(key_step, key.sample0 + uint64_t(row), uint64_t(block)),
                                     uint32_t(bits), uint32_t(bits >> 32));
    typename Distribution::Type values[kPerBlock];
    distribution(drawn, values);
    for (int64_t i = 0; i < kPerBlock && first + i < rows.elements; ++i)
      out[row * rows.elements + first + i] = values[i];
  }
}

template <class Distribution>
void draw(const char* op, const Cuda& cuda, const RandomKey& key, Rows rows, Tensor& out,
          const Distribution& distribution = {}) {
  check_draw(op, key, rows, Distribution::kPerBlock);
  if (rows.count * rows.elements == 0) return;
  const int64_t blocks = ceil_div(rows.elements, Distribution::kPerBlock) * rows.count;
  launch(op, cuda, grid_for(blocks), draw_kernel<Distribution>, key, cuda.random_step, key.philox_key(), rows,
         out.mutable_data<typename Distribution::Type>(), distribution);
}

}  // namespace

void randn_kernel(Cuda cuda, const RandomKey& key, Rows rows, Tensor& out) {
  if (out.dtype() == DType::f64) return draw<NormalF64>("randn", cuda, key, rows, out);
  draw<NormalF32>("randn", cuda, key, rows, out);
}

void rand_kernel(Cuda cuda, const RandomKey& key, Rows rows, Tensor& out) {
  if (out.dtype() == DType::f64) return draw<UniformF64>("rand", cuda, key, rows, out);
  draw<UniformF32>("rand", cuda, key, rows, out);
}

void randint_kernel(Cuda cuda, const RandomKey& key, Rows rows, int64_t low, int64_t high, Tensor& out) {
  check_range(low, high);
  draw("randint", cuda, key, rows, out, BoundedIntegers{low, uint64_t(high) - uint64_t(low)});
}

}  // namespace plumb
