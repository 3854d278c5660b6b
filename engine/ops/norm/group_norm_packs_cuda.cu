// Group norm, with or without SiLU, of pictures whose channels are innermost, as UNets have them. 16 bytes a load, f32
// arithmetic.
//
// Groups (10 channels of 2 bytes) are no multiple of a load, so nothing here works on groups but the smallest kernel:
// pixel_packs.cuh cuts pictures into tiles of channels and chunks of pixels, so that all multiprocessors have work (32
// pictures of 64 x 64 x 320 in bf16: 768 blocks of 240 busy threads). A thread has 64 bytes in flight; registers let
// three blocks of steps 1 and 3 forward live on a multiprocessor (48 KB in flight) and two of those backward (32 KB);
// 4.3 TB/s at 700 ns need 23 KB. Parameters are in registers; no division in the loop over pixels; exponentials of
// 16-bit results are the hardware's, since math.h's would take longer than the memory.
//
//   forward   1. mean and squares about it of every channel of a chunk (shifted by the chunk's first pixel: one pass,
//                no cancellation), 2. mean and rstd of every group by Chan's formula, a warp each, 3. y
//   backward  1. sums of g n and of g of every channel of a chunk, 2. their weighted means over every group, 3. grad_x;
//             weight and bias: sums over the chunks (sums.cuh).        Names as in group_norm_cuda.cu.
//
// Bytes moved against the least: forward reads x twice, 3 for 2; backward reads x and grad twice, 5 for 3, unless the
// cache helps: step 3 goes through the pictures from the last to the first, which finds what step 1 left there (50 MB
// on an H200: all of it from 32 x 32 pixels down). No atomics; chunks depend on the shape alone.
//
// Tried on paper and left: holding a picture's groups in registers between the steps, one launch and 2 for 2. A 64 x 64
// picture's 40 channels are 320 KB, more than a multiprocessor has.

#include "engine/cuda/fast_math.cuh"
#include "engine/cuda/pixel_packs.cuh"
#include "engine/ops/norm/group_norm_packs.h"

namespace plumb {
namespace {

struct Groups {
  int groups, per_group;
};

/// partial[n, chunk, channel] = mean, sum of squares about it.
template <class T>
__global__ void __launch_bounds__(kThreads) channel_statistics(Split s, const Pack<T>* x, SumPair<float>* partial) {
  constexpr int kSize = Pack<T>::kSize;
  __shared__ float shifts[64 * kSize];
  const Part part(s, false);
  float shift[kSize] = {};
  SumPair<float> sums[kSize] = {};  // of distances and their squares
  if (part.busy) {
    const Pack<T> first = x[part.at(s, part.chunk * s.chunk)];
    PLUMB_UNROLL
    for (int k = 0; k < kSize; ++k) shift[k] = to_float(first.item[k]);
    for (int k = 0; part.lane == 0 && k < kSize; ++k) shifts[part.slot * kSize + k] = shift[k];
  }
  for_each_pixel<T, 1>(s, part, {x}, [&](const Pack<T>(&values)[1], int64_t, int) {
    PLUMB_UNROLL
    for (int k = 0; k < kSize; ++k) {
      const float distance = to_float(values[0].item[k]) - shift[k];
      sums[k] += {distance, distance * distance};
    }
  });
  const float count = count_of(s, part.chunk);
  SumPair<float>* to = partial + sums_at(s, part, kSize);
  join_lanes(s, part, sums, [&](int channel, const SumPair<float>& total) {
    const float mean = total.first / count;
    to[channel] = {shifts[channel] + mean, total.second - total.first * mean};
  });
}

/// The sum of `value` over a warp, in all its lanes.
__device__ inline float warp_sum(float value) {
  for (int lanes = kWarp / 2; lanes > 0; lanes /= 2) value += __shfl_xor_sync(0xffffffffu, value, lanes);
  return value;
}

/// A warp's picture and group, and its channels' partial results.
struct GroupPart {
  int64_t group, n;
  int first, per_group;  // channels
  int lane, terms;
  __device__ GroupPart(const Split& s, const Groups& g) : per_group(g.per_group) {
    group = int64_t(blockIdx.x) * (kThreads / kWarp) + threadIdx.x / kWarp;
    n = group / g.groups;
    first = int(group % g.groups) * per_group;
    lane = int(threadIdx.x) % kWarp;
    terms = s.chunks * per_group;
  }
  /// Of term i: its chunk, channel and place in [n, chunk, channel].
  __device__ int chunk(int i) const { return i / per_group; }
  __device__ int channel(int i) const { return first + i % per_group; }
  __device__ int64_t at(const Split& s, int i) const { return (n * s.chunks + chunk(i)) * s.channels + channel(i); }
};

// wide: where partial results are, and where statistics go
__global__ void group_statistics(Split s, Groups g, int64_t count, const SumPair<float>* partial, float eps,
                                 float* means, float* rstds) {
  const GroupPart part(s, g);
  if (part.group >= count) return;
  const float elements = float(s.pixels * g.per_group);
  float mean = 0, squares = 0;
  const float shift = partial[part.at(s, 0)].first;  // as in moments_of_chunk
  for (int i = part.lane; i < part.terms; i += kWarp)
    mean += (partial[part.at(s, i)].first - shift) * count_of(s, part.chunk(i));
  mean = shift + warp_sum(mean) / elements;
  for (int i = part.lane; i < part.terms; i += kWarp) {
    const SumPair<float> moments = partial[part.at(s, i)];
    const float distance = moments.first - mean;
    squares += moments.second + count_of(s, part.chunk(i)) * (distance * distance);
  }
  squares = warp_sum(squares);
  if (part.lane > 0) return;
  means[part.group] = mean;
  rstds[part.group] = 1.0f / math::sqrt(squares / elements + eps);
}

struct Parameters {
  const float *weight, *bias;  // null: ones, zeros
  const float *mean, *rstd;    // [N, groups]
  Groups groups;
  bool silu;
};

/// A thread's channels.
template <int kSize>
struct Affine {
  float mean[kSize], scale[kSize], bias[kSize], rstd[kSize];
  __device__ Affine(const Part& part, const Parameters& p) {
    PLUMB_UNROLL
    for (int k = 0; k < kSize; ++k) {
      const int channel = part.pack * kSize + k, group = part.n * p.groups.groups + channel / p.groups.per_group;
      mean[k] = p.mean[group];
      rstd[k] = p.rstd[group];
      scale[k] = p.weight ? rstd[k] * p.weight[channel] : rstd[k];
      bias[k] = p.bias ? p.bias[channel] : 0.0f;
    }
  }
  __device__ float operator()(float x, int k) const { return (x - mean[k]) * scale[k] + bias[k]; }
};

template <class T>
__global__ void __launch_bounds__(kThreads) normalise(Split s, Parameters p, const Pack<T>* x, Pack<T>* y) {
  constexpr int kSize = Pack<T>::kSize;
  const Part part(s, true);
  if (!part.busy) return;
  const Affine<kSize> affine(part, p);
  for_each_pixel<T, 1>(s, part, {x}, [&](const Pack<T>(&values)[1], int64_t at, int) {
    Pack<T> result;
    PLUMB_UNROLL
    for (int k = 0; k < kSize; ++k) {
      const float z = affine(to_float(values[0].item[k]), k);
      result.item[k] = from_float<T>(p.silu ? SiluFor<T>::forward(z) : z);
    }
    y[at] = result;
  });
}

/// partial[n, chunk, channel] = sums of g n and of g.
template <class T>
__global__ void __launch_bounds__(kThreads)
    gradient_sums(Split s, Parameters p, const Pack<T>* x, const Pack<T>* grad, SumPair<float>* partial) {
  constexpr int kSize = Pack<T>::kSize;
  const Part part(s, false);
  SumPair<float> sums[kSize] = {};
  const Affine<kSize> affine(part, p);
  for_each_pixel<T, 2>(s, part, {x, grad}, [&](const Pack<T>(&values)[2], int64_t, int) {
    PLUMB_UNROLL
    for (int k = 0; k < kSize; ++k) {
      const float value = to_float(values[0].item[k]), up = to_float(values[1].item[k]);
      const float g = p.silu ? SiluFor<T>::backward(up, affine(value, k)) : up;
      sums[k] += {g * ((value - affine.mean[k]) * affine.rstd[k]), g};
    }
  });
  SumPair<float>* to = partial + sums_at(s, part, kSize);
  join_lanes(s, part, sums, [&](int channel, const SumPair<float>& sum) { to[channel] = sum; });
}

/// means[n, group] over the group of h n and of h.
__global__ void group_gradient(Split s, Groups g, int64_t count, const float* weight, const SumPair<float>* partial,
                               SumPair<float>* means) {
  const GroupPart part(s, g);
  if (part.group >= count) return;
  float projected = 0, level = 0;
  for (int i = part.lane; i < part.terms; i += kWarp) {
    const SumPair<float> sums = partial[part.at(s, i)];
    const float scale = weight ? weight[part.channel(i)] : 1.0f;
    projected += scale * sums.first;
    level += scale * sums.second;
  }
  projected = warp_sum(projected);
  level = warp_sum(level);
  const float elements = float(s.pixels * g.per_group);
  if (part.lane == 0) means[part.group] = {projected / elements, level / elements};
}

template <class T>
__global__ void __launch_bounds__(kThreads) input_gradient(Split s, Parameters p, const SumPair<float>* means,
                                                           const Pack<T>* x, const Pack<T>* grad, Pack<T>* grad_x) {
  // wide: the operands of the formula
  constexpr int kSize = Pack<T>::kSize;
  const Part part(s, true);
  if (!part.busy) return;
  const Affine<kSize> affine(part, p);
  float projected[kSize], level[kSize], weight[kSize];
  PLUMB_UNROLL
  for (int k = 0; k < kSize; ++k) {
    const int channel = part.pack * kSize + k;
    const SumPair<float> mean = means[part.n * p.groups.groups + channel / p.groups.per_group];
    projected[k] = mean.first;
    level[k] = mean.second;
    weight[k] = p.weight ? p.weight[channel] : 1.0f;
  }
  for_each_pixel<T, 2>(s, part, {x, grad}, [&](const Pack<T>(&values)[2], int64_t at, int) {
    Pack<T> result;
    PLUMB_UNROLL
    for (int k = 0; k < kSize; ++k) {
      const float value = to_float(values[0].item[k]), up = to_float(values[1].item[k]);
      const float h = (p.silu ? SiluFor<T>::backward(up, affine(value, k)) : up) * weight[k];
      const float normal = (value - affine.mean[k]) * affine.rstd[k];
      result.item[k] = from_float<T>(affine.rstd[k] * (h - level[k] - normal * projected[k]));
    }
    grad_x[at] = result;
  });
}

struct StoreParameters {
  float *weight, *bias;
  __device__ void operator()(int64_t channel, const SumPair<float>& sums) const {
    if (weight) weight[channel] = sums.first;
    if (bias) bias[channel] = sums.second;
  }
};

float* data_or_null(const Tensor& x) { return x.defined() ? const_cast<float*>(x.data<float>()) : nullptr; }

Groups groups_of(const Tensor& x, const GroupNormOptions& options) {
  return {int(options.groups), int(x.shape()[2] / options.groups)};
}

Parameters parameters_of(const GroupNormSaved& saved, const GroupNormOptions& options) {
  const float* mean = saved.statistics.data<float>();
  return {data_or_null(saved.weight),
          data_or_null(saved.bias),
          mean,
          mean + saved.x.shape()[0] * options.groups,
          groups_of(saved.x, options),
          options.silu};
}

template <class T>
const Pack<T>* packs_of(const Tensor& x) {
  return static_cast<const Pack<T>*>(x.raw_data());
}

/// Calls f.operator()<T>(split) for the type of x.
template <class F>
void visit_split(const Tensor& x, F&& f) {
  const Shape& shape = x.shape();  // [N, P, C]
  visit_dtype(TypeList<float, BFloat16, Float16>{}, x.dtype(), "group_norm",
              [&]<class T>() { f.template operator()<T>(split_of(shape[0], shape[1], shape[2], Pack<T>::kSize)); });
}

Grid grid_of_groups(int64_t groups) { return {ceil_div(groups, kThreads / kWarp), kThreads}; }

SumPair<float>* room_for(Tensor& kept, int64_t count, Device device) {
  kept = scratch<SumPair<float>>(count, device);
  return static_cast<SumPair<float>*>(kept.raw_mutable_data());
}

}  // namespace

bool group_norm_fits_packs(const GroupNormSaved& saved, const Tensor& other, const Tensor& result) {
  const Tensor& x = saved.x;
  const auto fits = [&](const Tensor& each) {
    return !each.defined() || (each.is_contiguous() && is_aligned_for_packs(each.raw_data()));
  };
  const bool known = x.dtype() == DType::f32 || size_of(x.dtype()) == 2;
  return known && x.shape()[2] % (16 / size_of(x.dtype())) == 0 && x.shape()[0] <= 65535 &&
         x.shape()[1] < (int64_t(1) << 30) && fits(x) && fits(other) && fits(result);
}

void group_norm_packs(const Cuda& cuda, const GroupNormSaved& saved, const GroupNormOptions& options, Tensor& y) {
  const int64_t batch = saved.x.shape()[0], groups = batch * options.groups;
  float* statistics = const_cast<Tensor&>(saved.statistics).mutable_data<float>();
  visit_split(saved.x, [&]<class T>(const Split& split) {
    Tensor kept;
    SumPair<float>* partial = room_for(kept, batch * split.chunks * split.channels, saved.x.device());
    launch("group_norm", cuda, grid_of(split, batch), channel_statistics<T>, split, packs_of<T>(saved.x), partial);
    launch("group_norm", cuda, grid_of_groups(groups), group_statistics, split, groups_of(saved.x, options), groups,
           partial, float(options.eps), statistics, statistics + groups);
  });
  group_norm_again_packs(cuda, saved, options, y);
}

void group_norm_again_packs(const Cuda& cuda, const GroupNormSaved& saved, const GroupNormOptions& options, Tensor& y) {
  visit_split(saved.x, [&]<class T>(const Split& split) {
    launch("group_norm", cuda, grid_of(split, saved.x.shape()[0]), normalise<T>, split, parameters_of(saved, options),
           packs_of<T>(saved.x), static_cast<Pack<T>*>(y.raw_mutable_data()));
  });
}

void group_norm_backward_packs(const Cuda& cuda, const Tensor& grad, const GroupNormSaved& saved,
                               const GroupNormOptions& options, GroupNormGrads& grads) {
  const char* op = "group_norm_backward";
  const int64_t batch = saved.x.shape()[0], groups = batch * options.groups;
  const Parameters p = parameters_of(saved, options);
  visit_split(saved.x, [&]<class T>(const Split& split) {
    Tensor kept, kept_means;
    const int64_t rows = batch * split.chunks;
    SumPair<float>* partial = room_for(kept, rows * split.channels, saved.x.device());
    launch(op, cuda, grid_of(split, batch), gradient_sums<T>, split, p, packs_of<T>(saved.x), packs_of<T>(grad),
           partial);
    if (grads.x.defined()) {
      SumPair<float>* means = room_for(kept_means, groups, saved.x.device());
      launch(op, cuda, grid_of_groups(groups), group_gradient, split, p.groups, groups, p.weight, partial, means);
      launch(op, cuda, grid_of(split, batch), input_gradient<T>, split, p, means, packs_of<T>(saved.x),
             packs_of<T>(grad), static_cast<Pack<T>*>(grads.x.raw_mutable_data()));
    }
    if (grads.weight.defined() || grads.bias.defined())
      sum_columns<SumPair<float>>(op, cuda, saved.x.device(), rows, split.channels,
                                  PartialOfColumn<SumPair<float>>{partial, split.channels},
                                  StoreParameters{data_or_null(grads.weight), data_or_null(grads.bias)});
  });
}

}  // namespace plumb
