// Group norm on CUDA, in either memory order, with or without SiLU: what does not fit group_norm_packs_cuda.cu. With n
// = (x - mean) * rstd of the group, as on the CPU:
//
//   forward   z = (x - mean) * (rstd * weight) + bias;   y = z, or silu(z)
//   backward  g = grad (times silu'(z)),  h = g * weight,  M values a group:
//             grad_x      = rstd * (h - (sum of h + n * sum of h * n) / M)
//             grad_weight = sum of g * n,   grad_bias = sum of g
//
// Forward: one block a picture and group, two passes for the statistics and one to write; a group of the UNets (64 x 64
// pixels of 10 channels) stays in the cache. Backward: sums of g * n and g a picture and channel (sums.cuh), then one
// block a picture and group. All in Acc<T>, in a fixed order.

#include "engine/cuda/element.cuh"
#include "engine/cuda/sums.cuh"
#include "engine/ops/elementwise/activation_functors.h"
#include "engine/ops/norm/group_norm_kernels.h"
#include "engine/ops/norm/group_norm_packs.h"

namespace plumb {
namespace {

using PLUMB_ISA::Silu;

template <class A>
struct Group {
  const void* x;
  DType dtype;
  const A *weight, *bias;  // null: ones, zeros
  A *mean, *rstd;          // [N, groups]
  int64_t pixels, channels, groups;
  bool silu, channels_last;

  __device__ int64_t per_group() const { return channels / groups; }
  __device__ int64_t count() const { return pixels * per_group(); }
  __device__ int64_t place(int64_t n, int64_t pixel, int64_t channel) const {
    return channels_last ? (n * pixels + pixel) * channels + channel : (n * channels + channel) * pixels + pixel;
  }
  /// The channel of element `i`, in memory order, of group `group` (counted over the batch).
  __device__ int64_t channel_of(int64_t group, int64_t i) const {
    return group % groups * per_group() + (channels_last ? i % per_group() : i / pixels);
  }
  /// Where it lies.
  __device__ int64_t at(int64_t group, int64_t i) const {
    return place(group / groups, channels_last ? i / per_group() : i % pixels, channel_of(group, i));
  }
  __device__ A value(int64_t at) const { return load_element<A>(x, dtype, at); }
  __device__ A affine(A value, int64_t group, int64_t channel) const {
    const A scale = weight ? rstd[group] * weight[channel] : rstd[group];
    return (value - mean[group]) * scale + (bias ? bias[channel] : A(0));
  }
  /// The gradient that reaches the affine map.
  __device__ A gradient(A upstream, A value, int64_t group, int64_t channel) const {
    return silu ? Silu::backward(upstream, affine(value, group, channel)) : upstream;
  }
};

template <class A>
__device__ void write_normalised(const Group<A>& p, int64_t group, void* y) {
  for (int64_t i = threadIdx.x; i < p.count(); i += blockDim.x) {
    const int64_t at = p.at(group, i);
    const A z = p.affine(p.value(at), group, p.channel_of(group, i));
    store_element(y, p.dtype, at, p.silu ? Silu::forward(z) : z);
  }
}

template <class A>
__global__ void group_norm_forward(Group<A> p, A eps, void* y) {
  const int64_t group = blockIdx.x, count = p.count();
  A mean = A(0), squares = A(0);
  const A shift = p.value(p.at(group, 0));  // sums far from zero would lose the digits that tell values apart
  for (int64_t i = threadIdx.x; i < count; i += blockDim.x) mean += p.value(p.at(group, i)) - shift;
  mean = shift + block_sum(mean) / A(count);
  for (int64_t i = threadIdx.x; i < count; i += blockDim.x) {
    const A distance = p.value(p.at(group, i)) - mean;
    squares += distance * distance;
  }
  const A rstd = A(1) / math::sqrt(block_sum(squares) / A(count) + eps);
  if (threadIdx.x == 0) {
    p.mean[group] = mean;
    p.rstd[group] = rstd;
  }
  __syncthreads();  // affine reads them
  write_normalised(p, group, y);
}

template <class A>
__global__ void group_norm_again(Group<A> p, void* y) {
  write_normalised(p, blockIdx.x, y);
}

/// g * n and g of one pixel in `column`, a picture and channel.
template <class A>
struct ChannelTerm {
  Group<A> p;
  const void* grad;
  __device__ SumPair<A> operator()(int64_t pixel, int64_t column) const {
    const int64_t n = column / p.channels, channel = column % p.channels;
    const int64_t group = n * p.groups + channel / p.per_group(), at = p.place(n, pixel, channel);
    const A x = p.value(at), g = p.gradient(load_element<A>(grad, p.dtype, at), x, group, channel);
    return {g * ((x - p.mean[group]) * p.rstd[group]), g};
  }
};

template <class A>
__global__ void group_norm_backward(Group<A> p, const void* grad, const SumPair<A>* sums, void* grad_x) {
  __shared__ A projected, level;  // means over the group of h * n and of h
  const int64_t group = blockIdx.x, count = p.count(), width = p.per_group();
  const int64_t first = group % p.groups * width;
  if (threadIdx.x == 0) {
    double total[2] = {0, 0};
    for (int64_t channel = first; channel < first + width; ++channel) {
      const double weight = p.weight ? double(p.weight[channel]) : 1.0;
      const SumPair<A>& sum = sums[group / p.groups * p.channels + channel];
      total[0] += weight * double(sum.first);
      total[1] += weight * double(sum.second);
    }
    projected = A(total[0] / double(count));
    level = A(total[1] / double(count));
  }
  __syncthreads();
  for (int64_t i = threadIdx.x; i < count; i += blockDim.x) {
    const int64_t at = p.at(group, i), channel = p.channel_of(group, i);
    const A x = p.value(at), normal = (x - p.mean[group]) * p.rstd[group];
    const A h =
        p.gradient(load_element<A>(grad, p.dtype, at), x, group, channel) * (p.weight ? p.weight[channel] : A(1));
    store_element(grad_x, p.dtype, at, p.rstd[group] * (h - level - normal * projected));
  }
}

/// Over the pictures of the batch, in double.
template <class A>
__global__ void parameter_sums(const SumPair<A>* sums, int64_t batch, int64_t channels, A* grad_weight, A* grad_bias) {
  const int64_t channel = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (channel >= channels) return;
  double weight = 0, bias = 0;
  for (int64_t n = 0; n < batch; ++n) {
    weight += double(sums[n * channels + channel].first);
    bias += double(sums[n * channels + channel].second);
  }
  if (grad_weight) grad_weight[channel] = A(weight);
  if (grad_bias) grad_bias[channel] = A(bias);
}

template <class A>
A* data_or_null(const Tensor& x) {
  return x.defined() ? const_cast<A*>(x.data<A>()) : nullptr;
}

template <class A>
Group<A> group_of(const GroupNormSaved& saved, const GroupNormOptions& options) {
  const Shape& shape = saved.x.shape();  // [N, P, C]
  A* mean = data_or_null<A>(saved.statistics);
  return {saved.x.raw_data(),
          saved.x.dtype(),
          data_or_null<A>(saved.weight),
          data_or_null<A>(saved.bias),
          mean,
          mean + shape[0] * options.groups,
          shape[1],
          shape[2],
          options.groups,
          options.silu,
          saved.x.is_contiguous()};
}

template <class A>
void backward(const Cuda& cuda, const Tensor& grad, const GroupNormSaved& saved, const GroupNormOptions& options,
              GroupNormGrads& grads) {
  const char* op = "group_norm_backward";
  const Group<A> p = group_of<A>(saved, options);
  const int64_t batch = saved.x.shape()[0];
  Tensor kept = scratch<SumPair<A>>(batch * p.channels, saved.x.device());
  SumPair<A>* sums = static_cast<SumPair<A>*>(kept.raw_mutable_data());
  sum_columns<SumPair<A>>(op, cuda, saved.x.device(), p.pixels, batch * p.channels, ChannelTerm<A>{p, grad.raw_data()},
                          KeepPartial<SumPair<A>>{sums});
  if (grads.x.defined())
    launch(op, cuda, {.blocks = batch * p.groups}, group_norm_backward<A>, p, grad.raw_data(), sums,
           grads.x.raw_mutable_data());
  if (grads.weight.defined() || grads.bias.defined())
    launch(op, cuda, {.blocks = ceil_div(p.channels, kThreads)}, parameter_sums<A>, sums, batch, p.channels,
           data_or_null<A>(grads.weight), data_or_null<A>(grads.bias));
}

}  // namespace

void group_norm_kernel(Cuda cuda, const Tensor& x, const Tensor& weight, const Tensor& bias,
                       const GroupNormOptions& options, GroupNormResult& out) {
  const GroupNormSaved saved{x, out.statistics, weight, bias};
  if (group_norm_fits_packs(saved, {}, out.y)) return group_norm_packs(cuda, saved, options, out.y);
  visit_dtype(TypeList<float, double>{}, acc_dtype(x.dtype()), "group_norm", [&]<class A>() {
    launch("group_norm", cuda, {.blocks = x.shape()[0] * options.groups}, group_norm_forward<A>,
           group_of<A>(saved, options), A(options.eps), out.y.raw_mutable_data());
  });
}

void group_norm_again_kernel(Cuda cuda, const GroupNormSaved& saved, const GroupNormOptions& options, Tensor& y) {
  if (group_norm_fits_packs(saved, {}, y)) return group_norm_again_packs(cuda, saved, options, y);
  visit_dtype(TypeList<float, double>{}, acc_dtype(saved.x.dtype()), "group_norm_again", [&]<class A>() {
    launch("group_norm_again", cuda, {.blocks = saved.x.shape()[0] * options.groups}, group_norm_again<A>,
           group_of<A>(saved, options), y.raw_mutable_data());
  });
}

void group_norm_backward_kernel(Cuda cuda, const Tensor& grad, const GroupNormSaved& saved,
                                const GroupNormOptions& options, GroupNormGrads& grads) {
  if (group_norm_fits_packs(saved, grad, grads.x)) return group_norm_backward_packs(cuda, grad, saved, options, grads);
  visit_dtype(TypeList<float, double>{}, acc_dtype(saved.x.dtype()), "group_norm_backward",
              [&]<class A>() { backward<A>(cuda, grad, saved, options, grads); });
}

}  // namespace plumb
