// Group norm on the CPU, along the channels, which are neighbours in memory. With n = (x - mean) * rstd of the group,
//
//   forward   z = (x - mean) * (rstd * weight) + bias;   y = z, or silu(z)
//   backward  g = grad (times silu'(z)),  h = g * weight,  M values a group:
//             grad_x      = rstd * (h - (sum of h + n * sum of h * n) / M)
//             grad_weight = sum of g * n,   grad_bias = sum of g
//
// Sums over pixels are taken a channel at a time within blocks of pixels, which depend on sizes alone, and the blocks
// are added in order in double: same bits for any number of threads. A channel's mean is summed about its first pixel,
// the variance about the mean: a mean far from zero costs no digits.

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/loops.h"
#include "engine/ops/elementwise/activation_functors.h"
#include "engine/ops/norm/group_norm_kernels.h"
#include "engine/ops/reduce/convert.h"

namespace plumb {
namespace {

using PLUMB_ISA::Silu;

template <class T>
class GroupNorm {
 public:
  using A = Acc<T>;

  GroupNorm(const Tensor& x, const Tensor& weight, const Tensor& bias, const GroupNormOptions& options)
      : x_(x.data<T>()),
        weight_(weight.defined() ? weight.data<A>() : nullptr),
        bias_(bias.defined() ? bias.data<A>() : nullptr),
        batch_(x.shape()[0]),
        pixels_(x.shape()[1]),
        channels_(x.shape()[2]),
        groups_(options.groups),
        options_(options),
        block_(std::clamp<int64_t>(kElementGrain / channels_, 1, pixels_)),
        blocks_((pixels_ + block_ - 1) / block_) {}

  void forward(GroupNormResult& out) {
    A *mean = out.statistics.mutable_data<A>(), *rstd = mean + batch_ * groups_;
    const double count = group_count();
    group_sums([&](int64_t n, const T* row, A* sum) {
      const T* first = x_ + n * pixels_ * channels_;
      for (int64_t c = 0; c < channels_; ++c) sum[c] += A(row[c]) - A(first[c]);
    });
    for (int64_t i = 0; i < batch_ * channels_; ++i)
      totals_[size_t(group_of(i))] +=
          double(pixels_) * double(A(x_[i / channels_ * pixels_ * channels_ + i % channels_]));
    for (int64_t i = 0; i < batch_ * groups_; ++i) mean[i] = A(totals_[size_t(i)] / count);
    const std::vector<A> means = by_channel(mean);
    group_sums([&](int64_t n, const T* row, A* sum) {
      const A* m = means.data() + n * channels_;
      for (int64_t c = 0; c < channels_; ++c) sum[c] += (A(row[c]) - m[c]) * (A(row[c]) - m[c]);
    });
    for (int64_t i = 0; i < batch_ * groups_; ++i)
      rstd[i] = A(1 / std::sqrt(totals_[size_t(i)] / count + options_.eps));
    normalise(mean, rstd, out.y.mutable_data<T>());
  }

  void backward(const T* grad, const A* statistics, GroupNormGrads& grads) {
    const A *mean = statistics, *rstd = mean + batch_ * groups_;
    find_affine(mean, rstd);
    const std::vector<A> rstds = by_channel(rstd);
    // Two sums a channel, side by side: of g * n and of g.
    channel_sums(2, [&](int64_t n, const T* row, A* sum) {
      const A *m = means_.data() + n * channels_, *r = rstds.data() + n * channels_;
      const T* up = grad + (row - x_);
      for (int64_t c = 0; c < channels_; ++c) {
        const A g = gradient(A(up[c]), A(row[c]), n, c);
        sum[c] += g * ((A(row[c]) - m[c]) * r[c]);
        sum[channels_ + c] += g;
      }
    });
    write_parameters(grads);
    if (grads.x.defined()) write_input(grad, rstds, grads.x.mutable_data<T>());
  }

 private:
  double group_count() const { return double(pixels_) * double(channels_ / groups_); }

  /// Of channel i of [N, C], counted over [N, groups].
  int64_t group_of(int64_t i) const { return i / channels_ * groups_ + i % channels_ / (channels_ / groups_); }

  std::vector<A> by_channel(const A* of_groups) const {
    std::vector<A> values(size_t(batch_ * channels_));
    for (int64_t i = 0; i < batch_ * channels_; ++i) values[size_t(i)] = of_groups[group_of(i)];
    return values;
  }

  /// Calls add(n, row, sums) for every pixel, with sums [width, C] of the block it is in, and leaves the totals over
  /// pixels in channel_totals_, [N, width, C].
  template <class F>
  void channel_sums(int64_t width, F&& add) {
    const int64_t size = width * channels_;
    std::vector<A> partial(size_t(batch_ * blocks_ * size));
    parallel_for(batch_ * blocks_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t n = i / blocks_, first = i % blocks_ * block_;
        for (int64_t p = first; p < std::min(pixels_, first + block_); ++p)
          add(n, x_ + (n * pixels_ + p) * channels_, partial.data() + i * size);
      }
    });
    channel_totals_.assign(size_t(batch_ * size), 0);
    for (int64_t i = 0; i < batch_ * blocks_; ++i)
      for (int64_t c = 0; c < size; ++c)
        channel_totals_[size_t(i / blocks_ * size + c)] += double(partial[size_t(i * size + c)]);
  }

  /// One sum a channel, and its totals over each group in totals_, [N, groups].
  template <class F>
  void group_sums(F&& add) {
    channel_sums(1, add);
    totals_.assign(size_t(batch_ * groups_), 0);
    for (int64_t i = 0; i < batch_ * channels_; ++i) totals_[size_t(group_of(i))] += channel_totals_[size_t(i)];
  }

  /// mean, rstd * weight and bias, [N, C].
  void find_affine(const A* mean, const A* rstd) {
    means_ = by_channel(mean);
    scale_ = by_channel(rstd);
    shift_.assign(scale_.size(), A(0));
    for (size_t i = 0; i < scale_.size(); ++i) {
      const size_t c = i % size_t(channels_);
      if (weight_) scale_[i] *= weight_[c];
      if (bias_) shift_[i] = bias_[c];
    }
  }

  template <class F>
  void for_each_row(F&& body) const {
    parallel_for(batch_ * blocks_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t n = i / blocks_, first = i % blocks_ * block_;
        for (int64_t p = first; p < std::min(pixels_, first + block_); ++p) body(n, (n * pixels_ + p) * channels_);
      }
    });
  }

  void normalise(const A* mean, const A* rstd, T* y) {
    find_affine(mean, rstd);
    for_each_row([&](int64_t n, int64_t at) {
      const A *a = scale_.data() + n * channels_, *b = shift_.data() + n * channels_,
              *m = means_.data() + n * channels_;
      const T* row = x_ + at;
      T* out = y + at;
      if (options_.silu)
        for (int64_t c = 0; c < channels_; ++c) out[c] = store_as<T>(Silu::forward((A(row[c]) - m[c]) * a[c] + b[c]));
      else
        for (int64_t c = 0; c < channels_; ++c) out[c] = store_as<T>((A(row[c]) - m[c]) * a[c] + b[c]);
    });
  }

  A gradient(A up, A x, int64_t n, int64_t c) const {
    if (!options_.silu) return up;
    const size_t i = size_t(n * channels_ + c);
    return Silu::backward(up, (x - means_[i]) * scale_[i] + shift_[i]);
  }

  void write_parameters(GroupNormGrads& grads) const {
    for (int64_t which = 0; which < 2; ++which) {
      Tensor& out = which == 0 ? grads.weight : grads.bias;
      if (!out.defined()) continue;
      for (int64_t c = 0; c < channels_; ++c) {
        double sum = 0;
        for (int64_t n = 0; n < batch_; ++n) sum += channel_totals_[size_t((2 * n + which) * channels_ + c)];
        out.mutable_data<A>()[c] = A(sum);
      }
    }
  }

  void write_input(const T* grad, const std::vector<A>& rstds, T* out) {
    // Means over a group of h * n and of h.
    std::vector<A> projected(size_t(batch_ * groups_)), level(size_t(batch_ * groups_));
    const int64_t per_group = channels_ / groups_;
    for (int64_t i = 0; i < batch_ * groups_; ++i) {
      double sums[2] = {0, 0};
      for (int64_t k = 0; k < per_group; ++k) {
        const int64_t n = i / groups_, c = i % groups_ * per_group + k;
        const double w = weight_ ? double(weight_[c]) : 1;
        for (int64_t which = 0; which < 2; ++which)
          sums[which] += w * channel_totals_[size_t((2 * n + which) * channels_ + c)];
      }
      projected[size_t(i)] = A(sums[0] / group_count());
      level[size_t(i)] = A(sums[1] / group_count());
    }
    const std::vector<A> p = by_channel(projected.data()), l = by_channel(level.data());
    for_each_row([&](int64_t n, int64_t at) {
      for (int64_t c = 0; c < channels_; ++c) {
        const size_t i = size_t(n * channels_ + c);
        const A x = A(x_[at + c]), normal = (x - means_[i]) * rstds[i];
        const A h = gradient(A(grad[at + c]), x, n, c) * (weight_ ? weight_[c] : A(1));
        out[at + c] = store_as<T>(rstds[i] * (h - l[i] - normal * p[i]));
      }
    });
  }

  const T* x_;
  const A *weight_, *bias_;
  int64_t batch_, pixels_, channels_, groups_;
  const GroupNormOptions& options_;
  int64_t block_, blocks_;  // pixels of a block, blocks of a picture
  std::vector<double> channel_totals_, totals_;
  std::vector<A> means_, scale_, shift_;
};

}  // namespace

void group_norm_kernel(Cpu, const Tensor& x, const Tensor& weight, const Tensor& bias, const GroupNormOptions& options,
                       GroupNormResult& out) {
  visit_dtype(Floats{}, x.dtype(), "group_norm",
              [&]<class T>() { GroupNorm<T>(x, weight, bias, options).forward(out); });
}

void group_norm_backward_kernel(Cpu, const Tensor& grad, const GroupNormSaved& saved, const GroupNormOptions& options,
                                GroupNormGrads& grads) {
  visit_dtype(Floats{}, saved.x.dtype(), "group_norm_backward", [&]<class T>() {
    GroupNorm<T>(saved.x, saved.weight, saved.bias, options)
        .backward(grad.data<T>(), saved.statistics.data<Acc<T>>(), grads);
  });
}

}  // namespace plumb
