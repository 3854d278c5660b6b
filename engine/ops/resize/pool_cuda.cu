// Means over rectangles on CUDA. A thread makes 16 bytes of neighbouring channels of a pixel where the memory order and
// alignment allow (channels-last, the UNets' order), else one element; sums in Acc<T> in the CPU's order, hence its
// bits. Backward gathers as well: a thread adds up the gradients of the output pixels that saw its own, which are a
// rectangle too since runs move one way. Found by arithmetic for windows and whole scales, by bisection otherwise.
// Least traffic: each tensor once; what neighbours share comes from the cache.

#include "engine/cuda/flat.cuh"
#include "engine/ops/resize/pool_kernels.h"

namespace plumb {
namespace {

/// Output pixels [begin, end) that see input pixel `p`.
__device__ inline PixelRun outputs_of(const PixelRule& rule, int64_t p) {
  const auto at_most = [&](int64_t i) { return i < rule.out ? i : rule.out; };
  if (rule.kind == PixelRule::Kind::repeat) return {p * rule.stride, (p + 1) * rule.stride, 1};
  if (rule.kind == PixelRule::Kind::window) {
    const int64_t last = p + rule.padding, before = last - rule.kernel;  // windows start at multiples of stride
    return {before < 0 ? 0 : at_most(before / rule.stride + 1), at_most(last / rule.stride + 1), 1};
  }
  // The first output whose run ends behind p, and the first whose run begins behind p.
  int64_t begin = 0, end = rule.out;
  while (begin < end) {
    const int64_t middle = (begin + end) / 2;
    rule(middle).end > p ? end = middle : begin = middle + 1;
  }
  int64_t stop = rule.out, from = begin;
  while (from < stop) {
    const int64_t middle = (from + stop) / 2;
    rule(middle).begin > p ? stop = middle : from = middle + 1;
  }
  return {begin, stop, 1};
}

/// Where the pixels of an image lie.
struct Image {
  int64_t sample, channel, row, column;  // strides
  __device__ int64_t at(int64_t n, int64_t c, int64_t i, int64_t j) const {
    return n * sample + c * channel + i * row + j * column;
  }
};

/// One of `count` packs of the image that is written: pack, sample, row, column with channels innermost, or sample,
/// channel, row, column.
struct Target {
  int64_t packs, rows, columns, count;  // packs: of channels, or channels
  bool channels_last;
};
struct Place {
  int64_t n, pack, row, column;
};
template <class Index>
__device__ inline Place place_by(const Target& t, Index rest) {
  const auto split = [&rest](int64_t size) {
    const Index quotient = rest / Index(size), position = rest - quotient * Index(size);
    rest = quotient;
    return int64_t(position);
  };
  Place p{};
  if (t.channels_last) p.pack = split(t.packs);
  p.column = split(t.columns);
  p.row = split(t.rows);
  if (!t.channels_last) p.pack = split(t.packs);
  p.n = int64_t(rest);
  return p;
}
__device__ inline Place place_of(const Target& t, int64_t i) {
  return t.count < (int64_t(1) << 31) ? place_by<uint32_t>(t, uint32_t(i)) : place_by<uint64_t>(t, uint64_t(i));
}

/// kSize channels, or one.
template <class T, int kSize>
struct alignas(kSize * sizeof(T)) Channels {
  T item[kSize];
};

template <class T, int kSize>
__global__ void pool_forward(Image from, Image to, Target target, PixelRules rules, const T* x, T* y) {
  using A = Acc<T>;
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < target.count; i += step) {
    const Place p = place_of(target, i);
    const PixelRun rows = rules.rows(p.row), columns = rules.columns(p.column);
    A sum[kSize] = {};
    for (int64_t row = rows.begin; row < rows.end; ++row)
      for (int64_t column = columns.begin; column < columns.end; ++column) {
        const auto pixel = *reinterpret_cast<const Channels<T, kSize>*>(x + from.at(p.n, p.pack * kSize, row, column));
        for (int k = 0; k < kSize; ++k) sum[k] += load_as<A>(pixel.item[k]);
      }
    const A divisor = A(rows.divisor * columns.divisor);
    Channels<T, kSize> result;
    for (int k = 0; k < kSize; ++k) result.item[k] = store_as<T>(sum[k] / divisor);
    *reinterpret_cast<Channels<T, kSize>*>(y + to.at(p.n, p.pack * kSize, p.row, p.column)) = result;
  }
}

template <class T, int kSize>
__global__ void pool_backward(Image from, Image to, Target target, PixelRules rules, const T* grad, T* grad_x) {
  using A = Acc<T>;
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < target.count; i += step) {
    const Place p = place_of(target, i);
    const PixelRun out_rows = outputs_of(rules.rows, p.row), out_columns = outputs_of(rules.columns, p.column);
    A sum[kSize] = {};
    for (int64_t row = out_rows.begin; row < out_rows.end; ++row)
      for (int64_t column = out_columns.begin; column < out_columns.end; ++column) {
        const A divisor = A(rules.rows(row).divisor * rules.columns(column).divisor);
        const auto pixel =
            *reinterpret_cast<const Channels<T, kSize>*>(grad + from.at(p.n, p.pack * kSize, row, column));
        for (int k = 0; k < kSize; ++k) sum[k] += load_as<A>(pixel.item[k]) / divisor;
      }
    Channels<T, kSize> result;
    for (int k = 0; k < kSize; ++k) result.item[k] = store_as<T>(sum[k]);
    *reinterpret_cast<Channels<T, kSize>*>(grad_x + to.at(p.n, p.pack * kSize, p.row, p.column)) = result;
  }
}

bool channels_innermost(const Tensor& x) { return x.is_channels_last() && !x.is_contiguous(); }

Image image_of(const Tensor& x) {
  // Strides of size-1 dimensions may be anything: these are the ones of the order.
  const int64_t c = x.size(1), h = x.size(2), w = x.size(3);
  if (channels_innermost(x)) return {h * w * c, 1, w * c, c};
  return {c * h * w, h * w, w, 1};
}

template <class T, class F>
void run(const char* op, const Cuda& cuda, const Tensor& x, const PixelRules& rules, Tensor& y, F kernels) {
  constexpr int kPack = Pack<T>::kSize;
  const bool last = channels_innermost(y);
  const bool wide = last && channels_innermost(x) && y.size(1) % kPack == 0 && is_aligned_for_packs(x.raw_data()) &&
                    is_aligned_for_packs(y.raw_data());
  const int64_t packs = wide ? y.size(1) / kPack : y.size(1);
  const Target target{packs, y.size(2), y.size(3), y.size(0) * packs * y.size(2) * y.size(3), last};
  launch(op, cuda, grid_for(target.count), wide ? kernels.wide : kernels.narrow, image_of(x), image_of(y), target,
         rules, x.data<T>(), y.mutable_data<T>());
}

template <class T>
struct Kernels {
  using Function = void (*)(Image, Image, Target, PixelRules, const T*, T*);
  Function wide, narrow;
};

}  // namespace

void pool_kernel(Cuda cuda, const Tensor& x, const PixelRules& rules, Tensor& y) {
  visit_dtype(Floats{}, x.dtype(), "pool", [&]<class T>() {
    run<T>("pool", cuda, x, rules, y, Kernels<T>{pool_forward<T, Pack<T>::kSize>, pool_forward<T, 1>});
  });
}

void pool_backward_kernel(Cuda cuda, const Tensor& grad, const PixelRules& rules, Tensor& grad_x) {
  visit_dtype(Floats{}, grad.dtype(), "pool_backward", [&]<class T>() {
    run<T>("pool_backward", cuda, grad, rules, grad_x,
           Kernels<T>{pool_backward<T, Pack<T>::kSize>, pool_backward<T, 1>});
  });
}

}  // namespace plumb
