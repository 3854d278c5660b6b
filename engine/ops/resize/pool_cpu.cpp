// Means over rectangles on the CPU. A task takes a plane, or in channels-last order the planes of up to kChannels
// neighbouring channels, so that the inner loop runs over dense memory there too.

#include <algorithm>
#include <vector>

#include "engine/loops.h"
#include "engine/ops/reduce/convert.h"
#include "engine/ops/resize/pool_kernels.h"

namespace plumb {
namespace {

constexpr int64_t kChannels = 64;

/// One entry an output row, one an output column.
struct PixelRuns {
  explicit PixelRuns(const PixelRules& rules) : rows(runs_of(rules.rows)), columns(runs_of(rules.columns)) {}
  static std::vector<PixelRun> runs_of(const PixelRule& rule) {
    std::vector<PixelRun> runs;
    runs.reserve(size_t(rule.out));
    for (int64_t i = 0; i < rule.out; ++i) runs.push_back(rule(i));
    return runs;
  }
  std::vector<PixelRun> rows, columns;
};

/// Where the planes of a task start in an image, and how far its neighbours are.
struct Planes {
  explicit Planes(const Tensor& x)
      : strides(x.is_contiguous() ? Strides{x.size(1) * x.size(2) * x.size(3), x.size(2) * x.size(3), x.size(3), 1}
                                  : x.strides()),
        channels(x.size(1)),
        block(strides[1] == 1 ? std::min(kChannels, x.size(1)) : 1) {}

  int64_t per_sample() const { return (channels + block - 1) / block; }
  int64_t start(int64_t task) const {
    return task / per_sample() * strides[0] + task % per_sample() * block * strides[1];
  }
  int64_t count(int64_t task) const { return std::min(block, channels - task % per_sample() * block); }
  int64_t at(int64_t row, int64_t column) const { return row * strides[2] + column * strides[3]; }

  Strides strides;
  int64_t channels, block;
};

template <class F>
void for_each_task(const Tensor& image, const Planes& planes, F&& run) {
  const int64_t pixels = image.size(2) * image.size(3) * planes.block;
  parallel_for(image.size(0) * planes.per_sample(), std::max<int64_t>(1, kElementGrain / pixels), run);
}

template <class T>
void pool(const Tensor& x, const PixelRuns& runs, Tensor& y) {
  using A = Acc<T>;
  Planes source(x), target(y);
  source.block = target.block = std::min(source.block, target.block);
  const T* input = x.data<T>();
  T* output = y.mutable_data<T>();
  for_each_task(y, target, [&](int64_t begin, int64_t end) {
    A sum[kChannels];
    for (int64_t task = begin; task < end; ++task) {
      const T* in = input + source.start(task);
      T* out = output + target.start(task);
      const int64_t channels = source.count(task);
      for (size_t i = 0; i < runs.rows.size(); ++i)
        for (size_t j = 0; j < runs.columns.size(); ++j) {
          const PixelRun &rows = runs.rows[i], &columns = runs.columns[j];
          std::fill_n(sum, channels, A(0));
          for (int64_t row = rows.begin; row < rows.end; ++row)
            for (int64_t column = columns.begin; column < columns.end; ++column) {
              const T* pixel = in + source.at(row, column);
              for (int64_t c = 0; c < channels; ++c) sum[c] += load_as<A>(pixel[c]);
            }
          const A divisor = A(rows.divisor * columns.divisor);
          T* pixel = out + target.at(int64_t(i), int64_t(j));
          for (int64_t c = 0; c < channels; ++c) pixel[c] = store_as<T>(sum[c] / divisor);
        }
    }
  });
}

template <class T>
void spread(const Tensor& grad, const PixelRuns& runs, Tensor& grad_x) {
  using A = Acc<T>;
  Planes source(grad), target(grad_x);
  source.block = target.block = std::min(source.block, target.block);
  const int64_t height = grad_x.size(2), width = grad_x.size(3);
  const T* input = grad.data<T>();
  T* output = grad_x.mutable_data<T>();
  for_each_task(grad_x, target, [&](int64_t begin, int64_t end) {
    std::vector<A> sums(size_t(height * width * target.block));
    for (int64_t task = begin; task < end; ++task) {
      const T* in = input + source.start(task);
      T* out = output + target.start(task);
      const int64_t channels = source.count(task);
      std::fill(sums.begin(), sums.end(), A(0));
      for (size_t i = 0; i < runs.rows.size(); ++i)
        for (size_t j = 0; j < runs.columns.size(); ++j) {
          const PixelRun &rows = runs.rows[i], &columns = runs.columns[j];
          const A divisor = A(rows.divisor * columns.divisor);
          const T* pixel = in + source.at(int64_t(i), int64_t(j));
          for (int64_t row = rows.begin; row < rows.end; ++row)
            for (int64_t column = columns.begin; column < columns.end; ++column) {
              A* sum = sums.data() + (row * width + column) * channels;
              for (int64_t c = 0; c < channels; ++c) sum[c] += load_as<A>(pixel[c]) / divisor;
            }
        }
      for (int64_t row = 0; row < height; ++row)
        for (int64_t column = 0; column < width; ++column) {
          const A* sum = sums.data() + (row * width + column) * channels;
          T* pixel = out + target.at(row, column);
          for (int64_t c = 0; c < channels; ++c) pixel[c] = store_as<T>(sum[c]);
        }
    }
  });
}

}  // namespace

void pool_kernel(Cpu, const Tensor& x, const PixelRules& rules, Tensor& y) {
  visit_dtype(Floats{}, x.dtype(), "pool", [&]<class T>() { pool<T>(x, PixelRuns(rules), y); });
}

void pool_backward_kernel(Cpu, const Tensor& grad, const PixelRules& rules, Tensor& grad_x) {
  visit_dtype(Floats{}, grad.dtype(), "pool_backward", [&]<class T>() { spread<T>(grad, PixelRuns(rules), grad_x); });
}

}  // namespace plumb
