// Group norm on the CPU, in either memory order. With n = (x - mean) * rstd of the group,
//
//   forward   z = (x - mean) * (rstd * weight) + bias;   y = z, or silu(z)
//   backward  g = grad (times silu'(z)),  h = g * weight,  M values a group:
//             grad_x      = rstd * (h - (sum of h + n * sum of h * n) / M)
//             grad_weight = sum of g * n,   grad_bias = sum of g
//
// Work is cut into tiles of kGroupNormPixels by kChunk channels, or few more than that, by sizes alone; sums over the
// pixels of a tile are taken in A (group_norm_sums.h), and joined in order in double, the squares by Chan, Golub and
// LeVeque's formula: same bits for any number of threads, and a mean far from zero costs no digits. A tile's mean and
// squares are two sweeps over what is in the second-level cache by then, so memory is read once for the statistics and
// once to write y; several pictures that fit into that cache together are normalised before the next are read.

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/ceil_div.h"
#include "engine/isa/row_tables.h"
#include "engine/loops.h"
#include "engine/ops/norm/group_norm_kernels.h"
#include "engine/ops/reduce/convert.h"

namespace plumb {
namespace {

/// Elements of the pictures that are worked on together.
constexpr int64_t kTogether = 1 << 18;

/// Channels of a tile, but for the last: all of a picture that has no more than fit, or there would be tiles of few.
constexpr int64_t kChunk = 64;

/// [N, P, C] with the channels innermost in memory, or the pixels.
template <class T>
struct Pictures {
  explicit Pictures(const Tensor& x, T* first) : data(first), strides(x.strides()) {}
  T* at(int64_t n, int64_t pixel, int64_t channel) const {
    return data + n * strides[0] + pixel * strides[1] + channel * strides[2];
  }
  T* data;
  Strides strides;
};

template <class T>
class GroupNorm {
 public:
  using A = Acc<T>;

  GroupNorm(const Tensor& x, const Tensor& weight, const Tensor& bias, const GroupNormOptions& options)
      : x_(x, x.data<T>()),
        weight_(weight.defined() ? weight.data<A>() : nullptr),
        bias_(bias.defined() ? bias.data<A>() : nullptr),
        batch_(x.shape()[0]),
        pixels_(x.shape()[1]),
        channels_(x.shape()[2]),
        groups_(options.groups),
        options_(options),
        planes_(x.strides()[2] != 1),
        blocks_(ceil_div(pixels_, kGroupNormPixels)),
        chunk_(planes_                           ? 4
               : channels_ <= kGroupNormChannels ? kGroupNormChannels
                                                 : kChunk),
        chunks_(ceil_div(channels_, chunk_)),
        means_(size_t(batch_ * channels_)),
        scale_(means_.size()),
        shift_(means_.size()) {}

  void forward(GroupNormResult& out) {
    A *mean = out.statistics.mutable_data<A>(), *rstd = mean + batch_ * groups_;
    for_each_part([&](int64_t begin, int64_t end) {
      find_statistics(begin, end, mean, rstd);
      normalise(begin, end, mean, rstd, out.y);
    });
  }

  void again(const A* statistics, Tensor& y) {
    for_each_part(
        [&](int64_t begin, int64_t end) { normalise(begin, end, statistics, statistics + batch_ * groups_, y); });
  }

  void backward(const Tensor& grad, const A* statistics, GroupNormGrads& grads) {
    const A *mean = statistics, *rstd = mean + batch_ * groups_;
    const Pictures<const T> up(grad, grad.data<T>());
    projected_.resize(means_.size());
    level_.resize(means_.size());
    for_each_part([&](int64_t begin, int64_t end) {
      find_affine(begin, end, mean, rstd);
      find_sums(begin, end, up, rstd, grads.x);
      if (grads.x.defined()) write_input(begin, end, up, rstd, grads.x);
    });
    write_parameter(projected_, grads.weight);
    write_parameter(level_, grads.bias);
  }

 private:
  struct Tile {
    PixelTile size;
    int64_t n, pixel, channel, block;
  };

  /// A tile as an array of A: the elements themselves, or a copy.
  class Copy {
   public:
    PixelArray<const A> load(const GroupNorm& norm, const Pictures<const T>& from, const Tile& t) {
      if constexpr (std::is_same_v<T, A>) return {from.at(t.n, t.pixel, t.channel), norm.line_step(from)};
      reserve();
      for (int64_t line = 0; line < t.size.channels * t.size.pixels / norm.length(t); ++line)
        copy_row(norm.line(from, t, line), 1, norm.length(t), buffer_.data() + line * norm.length(t));
      return {buffer_.data(), norm.length(t)};
    }
    PixelArray<A> place(const GroupNorm& norm, const Pictures<T>& to, const Tile& t) {
      if constexpr (std::is_same_v<T, A>) return {to.at(t.n, t.pixel, t.channel), norm.line_step(to)};
      return scratch(norm, t);
    }
    PixelArray<A> scratch(const GroupNorm& norm, const Tile& t) {
      reserve();
      return {buffer_.data(), norm.length(t)};
    }
    void store(const GroupNorm& norm, const Pictures<T>& to, const Tile& t) const {
      if constexpr (!std::is_same_v<T, A>)
        for (int64_t line = 0; line < t.size.channels * t.size.pixels / norm.length(t); ++line) {
          T* out = norm.line(to, t, line);
          for (int64_t i = 0; i < norm.length(t); ++i) out[i] = store_as<T>(buffer_[size_t(line * norm.length(t) + i)]);
        }
    }

   private:
    void reserve() { buffer_.resize(size_t(kGroupNormPixels * kGroupNormChannels)); }
    std::vector<A> buffer_;
  };

  double group_count() const { return double(pixels_) * double(channels_ / groups_); }
  int64_t length(const Tile& t) const { return planes_ ? t.size.pixels : t.size.channels; }
  template <class U>
  int64_t line_step(const Pictures<U>& p) const {
    return p.strides[planes_ ? 2 : 1];
  }
  template <class U>
  U* line(const Pictures<U>& p, const Tile& t, int64_t i) const {
    return p.at(t.n, t.pixel, t.channel) + i * line_step(p);
  }

  /// Calls body(first, end) for pictures that fit into the cache together.
  template <class F>
  void for_each_part(F&& body) const {
    const int64_t step = std::clamp<int64_t>(kTogether / (pixels_ * channels_), 1, batch_);
    for (int64_t begin = 0; begin < batch_; begin += step) body(begin, std::min(batch_, begin + step));
  }

  /// Calls body(tile) for all tiles of pictures [begin, end), in parallel.
  template <class F>
  void for_each_tile(int64_t begin, int64_t end, F&& body) const {
    const int64_t size = std::min(pixels_, kGroupNormPixels) * std::min(chunk_, channels_);
    parallel_for(
        (end - begin) * chunks_ * blocks_, std::max<int64_t>(1, kElementGrain / size), [&](int64_t from, int64_t to) {
          for (int64_t i = from; i < to; ++i) {
            const int64_t block = i % blocks_, channel = i / blocks_ % chunks_ * chunk_;
            const int64_t pixel = block * kGroupNormPixels;
            body(Tile{{std::min(kGroupNormPixels, pixels_ - pixel), std::min(chunk_, channels_ - channel), planes_},
                      begin + i / blocks_ / chunks_,
                      pixel,
                      channel,
                      block});
          }
        });
  }

  ChannelAffine<A> affine(const Tile& t) const {
    const size_t at = size_t(t.n * channels_ + t.channel);
    return {means_.data() + at, scale_.data() + at, shift_.data() + at, options_.silu};
  }

  /// Two numbers of every channel of a tile, [N, blocks, 2, C] from picture `begin` on.
  template <class F>
  std::vector<A> by_tile(int64_t begin, int64_t end, F&& compute) const {
    std::vector<A> numbers(size_t((end - begin) * blocks_ * 2 * channels_));
    for_each_tile(begin, end, [&](const Tile& t) {
      A* first = numbers.data() + ((t.n - begin) * blocks_ + t.block) * 2 * channels_ + t.channel;
      compute(t, first, first + channels_);
    });
    return numbers;
  }

  void find_statistics(int64_t begin, int64_t end, A* mean, A* rstd) const {
    const std::vector<A> moments = by_tile(begin, end, [&](const Tile& t, A* means, A* squares) {
      Copy copy;
      rows_.moments(t.size, copy.load(*this, x_, t), means, squares);
    });
    const int64_t per_group = channels_ / groups_;
    for (int64_t i = begin * groups_; i < end * groups_; ++i) {
      const A* of_picture = moments.data() + (i / groups_ - begin) * blocks_ * 2 * channels_ + i % groups_ * per_group;
      double sum = 0, squares = 0;
      for_each_moment(of_picture, [&](double count, double m, double) { sum += count * m; });
      const double centre = sum / group_count();
      for_each_moment(of_picture,
                      [&](double count, double m, double s) { squares += s + count * (m - centre) * (m - centre); });
      mean[i] = A(centre);
      rstd[i] = A(1 / std::sqrt(squares / group_count() + options_.eps));
    }
  }

  /// Calls add(pixels, mean, squares) for all channels and blocks of a group.
  template <class F>
  void for_each_moment(const A* first, F&& add) const {
    for (int64_t block = 0; block < blocks_; ++block, first += 2 * channels_) {
      const double count = double(std::min(kGroupNormPixels, pixels_ - block * kGroupNormPixels));
      for (int64_t c = 0; c < channels_ / groups_; ++c) add(count, double(first[c]), double(first[channels_ + c]));
    }
  }

  /// mean, rstd * weight and bias of every channel.
  void find_affine(int64_t begin, int64_t end, const A* mean, const A* rstd) {
    for (int64_t n = begin; n < end; ++n)
      for (int64_t c = 0; c < channels_; ++c) {
        const size_t at = size_t(n * channels_ + c);
        const int64_t group = group_of(n, c);
        means_[at] = mean[group];
        scale_[at] = weight_ ? rstd[group] * weight_[c] : rstd[group];
        shift_[at] = bias_ ? bias_[c] : A(0);
      }
  }
  int64_t group_of(int64_t n, int64_t c) const { return n * groups_ + c / (channels_ / groups_); }

  /// The gradient of z of a tile: `up` itself, or times silu'(z).
  PixelArray<const A> gradient(const Tile& t, PixelArray<const A> x, PixelArray<const A> up, PixelArray<A> out) const {
    if (!options_.silu) return up;
    rows_.silu_grad(t.size, x, up, affine(t), out);
    return {out.data, out.step};
  }

  /// Where what the SiLU passes back is written: it is made once, and read again from where grad_x comes to lie, unless
  /// that would round it or there is none.
  static bool keeps_gradient(const Tensor& grad_x) { return std::is_same_v<T, A> && grad_x.defined(); }
  PixelArray<A> gradient_place(Copy& copy, const Tile& t, Tensor& grad_x) const {
    if (!options_.silu) return {};
    if (keeps_gradient(grad_x)) return copy.place(*this, Pictures<T>(grad_x, grad_x.mutable_data<T>()), t);
    return copy.scratch(*this, t);
  }

  /// projected_ = sum of g * n and level_ = sum of g, [N, C].
  void find_sums(int64_t begin, int64_t end, const Pictures<const T>& up, const A* rstd, Tensor& grad_x) {
    const std::vector<A> sums = by_tile(begin, end, [&](const Tile& t, A* projected, A* level) {
      Copy x_copy, up_copy, g_copy;
      const PixelArray<const A> x = x_copy.load(*this, x_, t);
      const PixelArray<const A> g = gradient(t, x, up_copy.load(*this, up, t), gradient_place(g_copy, t, grad_x));
      rows_.grad_sums(t.size, x, g, affine(t).mean, projected, level);
    });
    for (int64_t n = begin; n < end; ++n)
      for (int64_t c = 0; c < channels_; ++c) {
        double projected = 0, level = 0;
        for (int64_t block = 0; block < blocks_; ++block) {
          const A* first = sums.data() + ((n - begin) * blocks_ + block) * 2 * channels_ + c;
          projected += double(first[0]);
          level += double(first[channels_]);
        }
        projected_[size_t(n * channels_ + c)] = projected * double(rstd[group_of(n, c)]);
        level_[size_t(n * channels_ + c)] = level;
      }
  }

  void normalise(int64_t begin, int64_t end, const A* mean, const A* rstd, Tensor& to) {
    const Pictures<T> y(to, to.mutable_data<T>());
    find_affine(begin, end, mean, rstd);
    for_each_tile(begin, end, [&](const Tile& t) {
      Copy x_copy, y_copy;
      rows_.normalise(t.size, x_copy.load(*this, x_, t), affine(t), y_copy.place(*this, y, t));
      y_copy.store(*this, y, t);
    });
  }

  void write_input(int64_t begin, int64_t end, const Pictures<const T>& up, const A* rstd, Tensor& grad_x) {
    std::vector<A> offset(means_.size()), slope(means_.size());
    const int64_t per_group = channels_ / groups_;
    for (int64_t i = begin * groups_; i < end * groups_; ++i) {
      const int64_t first = i / groups_ * channels_ + i % groups_ * per_group;
      double projected = 0, level = 0;
      for (int64_t k = 0; k < per_group; ++k) {
        const double w = weight_ ? double(weight_[i % groups_ * per_group + k]) : 1;
        projected += w * projected_[size_t(first + k)];
        level += w * level_[size_t(first + k)];
      }
      const double r = double(rstd[i]);
      std::fill_n(offset.data() + first, per_group, A(r * level / group_count()));
      std::fill_n(slope.data() + first, per_group, A(r * r * projected / group_count()));
    }
    const Pictures<T> out(grad_x, grad_x.mutable_data<T>());
    for_each_tile(begin, end, [&](const Tile& t) {
      Copy x_copy, up_copy, g_copy, out_copy;
      const int64_t at = t.n * channels_ + t.channel;
      const PixelArray<const A> x = x_copy.load(*this, x_, t);
      const PixelArray<A> target = out_copy.place(*this, out, t);
      PixelArray<const A> g = {target.data, target.step};
      if (!options_.silu || !keeps_gradient(grad_x))
        g = gradient(t, x, up_copy.load(*this, up, t), gradient_place(g_copy, t, grad_x));
      rows_.grad(t.size, x, g, affine(t), {offset.data() + at, slope.data() + at}, target);
      out_copy.store(*this, out, t);
    });
  }

  void write_parameter(const std::vector<double>& sums, Tensor& out) const {
    if (!out.defined()) return;
    for (int64_t c = 0; c < channels_; ++c) {
      double sum = 0;
      for (int64_t n = 0; n < batch_; ++n) sum += sums[size_t(n * channels_ + c)];
      out.mutable_data<A>()[c] = A(sum);
    }
  }

  const GroupNormRows<A>& rows_ = group_norm_rows<A>();
  Pictures<const T> x_;
  const A *weight_, *bias_;
  int64_t batch_, pixels_, channels_, groups_;
  const GroupNormOptions& options_;
  bool planes_;
  int64_t blocks_, chunk_, chunks_;       // tiles of a picture along its pixels, channels of a tile, tiles along them
  std::vector<A> means_, scale_, shift_;  // [N, C]
  std::vector<double> projected_, level_;
};

}  // namespace

void group_norm_kernel(Cpu, const Tensor& x, const Tensor& weight, const Tensor& bias, const GroupNormOptions& options,
                       GroupNormResult& out) {
  visit_dtype(Floats{}, x.dtype(), "group_norm",
              [&]<class T>() { GroupNorm<T>(x, weight, bias, options).forward(out); });
}

void group_norm_again_kernel(Cpu, const GroupNormSaved& saved, const GroupNormOptions& options, Tensor& y) {
  visit_dtype(Floats{}, saved.x.dtype(), "group_norm", [&]<class T>() {
    GroupNorm<T>(saved.x, saved.weight, saved.bias, options).again(saved.statistics.data<Acc<T>>(), y);
  });
}

void group_norm_backward_kernel(Cpu, const Tensor& grad, const GroupNormSaved& saved, const GroupNormOptions& options,
                                GroupNormGrads& grads) {
  visit_dtype(Floats{}, saved.x.dtype(), "group_norm_backward", [&]<class T>() {
    GroupNorm<T>(saved.x, saved.weight, saved.bias, options).backward(grad, saved.statistics.data<Acc<T>>(), grads);
  });
}

}  // namespace plumb
