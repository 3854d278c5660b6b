// A block is gathered operand by operand with an odometer over the coalesced loop, so rows of two elements cost about
// as much an element as long ones. Block boundaries never change a result: every element is computed alone.

#include "engine/ops/elementwise/strided_rows.h"

namespace plumb {
namespace {

constexpr int64_t kBlock = 512;
constexpr int64_t kShortRow = 16;  // rows shorter than this are gathered: a call a row would cost more

/// Calls run(offset, step, count, position) for the runs of one operand that cover loop elements [begin, begin+count).
template <class F>
void for_each_run(const Shape& shape, const Strides& strides, int64_t begin, int64_t count, F&& run) {
  const int64_t last = shape.rank() - 1, inner = shape[last];
  int64_t index[kMaxRank];
  int64_t rest = begin / inner, offset = 0, position = begin % inner;
  for (int64_t d = last - 1; d >= 0; --d) {
    index[d] = rest % shape[d];
    rest /= shape[d];
    offset += index[d] * strides[d];
  }
  for (int64_t done = 0; done < count;) {
    const int64_t length = inner - position < count - done ? inner - position : count - done;
    run(offset + position * strides[last], strides[last], length, done);
    done += length;
    position = 0;
    for (int64_t d = last - 1; d >= 0; --d) {
      offset += strides[d];
      if (++index[d] < shape[d]) break;
      offset -= shape[d] * strides[d];
      index[d] = 0;
    }
  }
}

/// Loop elements [begin, begin + count) of one operand into, or out of, a dense buffer. One call a block: the walk is
/// inside, so that runs of two elements stay cheap.
template <class C>
using Gather = void (*)(const void* from, const Shape& shape, const Strides& strides, int64_t begin, int64_t count,
                        C* to);
template <class C>
using Scatter = void (*)(const C* from, void* to, const Shape& shape, const Strides& strides, int64_t begin,
                         int64_t count);

template <class T, class C>
void gather(const void* from, const Shape& shape, const Strides& strides, int64_t begin, int64_t count, C* to) {
  for_each_run(shape, strides, begin, count, [&](int64_t offset, int64_t step, int64_t length, int64_t position) {
    const T* run = static_cast<const T*>(from) + offset;
    if (step == 1)
      for (int64_t i = 0; i < length; ++i) to[position + i] = static_cast<C>(static_cast<Compute<T>>(run[i]));
    else
      for (int64_t i = 0; i < length; ++i) to[position + i] = static_cast<C>(static_cast<Compute<T>>(run[i * step]));
  });
}

template <class T, class C>
void scatter(const C* from, void* to, const Shape& shape, const Strides& strides, int64_t begin, int64_t count) {
  for_each_run(shape, strides, begin, count, [&](int64_t offset, int64_t step, int64_t length, int64_t position) {
    T* run = static_cast<T*>(to) + offset;
    for (int64_t i = 0; i < length; ++i) {
      if constexpr (std::is_same_v<T, bool>)
        run[i * step] = from[position + i] != C(0);
      else
        run[i * step] = static_cast<T>(from[position + i]);
    }
  });
}

template <class T, class C>
constexpr bool storable = std::is_same_v<T, bool> || std::is_same_v<RowType<T>, C>;

template <class C>
Gather<C> gatherer(DType dtype) {
  Gather<C> found = nullptr;
  visit_dtype(AllTypes{}, dtype, "elementwise", [&]<class T>() {
    if constexpr (storable<T, C>) found = gather<T, C>;
  });
  return found;
}
template <class C>
Scatter<C> scatterer(DType dtype) {
  Scatter<C> found = nullptr;
  visit_dtype(AllTypes{}, dtype, "elementwise", [&]<class T>() {
    if constexpr (storable<T, C>) found = scatter<T, C>;
  });
  return found;
}

template <class C, int N>
class RowRunner {
 public:
  RowRunner(const RowCall<C>& row, const std::array<RowOperand, N>& inputs, Tensor& out)
      : row_(row), inputs_(inputs), out_(static_cast<char*>(out.raw_mutable_data())), out_dtype_(out.dtype()) {
    std::array<Strides, N + 1> strides{out.strides()};
    for (int i = 0; i < N; ++i) strides[size_t(i) + 1] = inputs[size_t(i)].strides;
    loop_ = make_loop<N + 1>(out.shape(), strides);
  }

  void run() { rows_are_direct() ? run_direct() : run_blocks(); }

 private:
  int64_t step(int operand) const { return loop_.strides[size_t(operand)].back(); }
  bool single_run() const { return loop_.shape.rank() == 1; }

  bool rows_are_direct() const {
    if (loop_.shape.back() < kShortRow && !single_run()) return false;
    if (out_dtype_ != dtype_of<C> || (step(0) != 1 && loop_.shape.back() != 1)) return false;
    for (int i = 0; i < N; ++i) {
      if (inputs_[size_t(i)].dtype != dtype_of<C>) return false;
      const int64_t s = step(i + 1);
      if (s != 1 && !(s == 0 && row_.takes_scalars) && loop_.shape.back() != 1) return false;
    }
    return true;
  }

  void run_direct() {
    int64_t steps[N];
    for (int i = 0; i < N; ++i) steps[i] = step(i + 1) == 0 && row_.takes_scalars ? 0 : 1;
    run_loop(loop_, [&](const std::array<int64_t, N + 1>& at, int64_t count) {
      const C* rows[N];
      for (int i = 0; i < N; ++i) rows[i] = static_cast<const C*>(inputs_[size_t(i)].data) + at[size_t(i) + 1];
      row_.call(row_.context, rows, steps, reinterpret_cast<C*>(out_) + at[0], count);
    });
  }

  void run_blocks() {
    Gather<C> gathers[N];
    for (int i = 0; i < N; ++i) gathers[i] = gatherer<C>(inputs_[size_t(i)].dtype);
    const Scatter<C> scatter_out = scatterer<C>(out_dtype_);
    C* const dense_out = is_dense(0, out_dtype_) ? reinterpret_cast<C*>(out_) : nullptr;
    parallel_for(numel(loop_.shape), kElementGrain, [&](int64_t begin, int64_t end) {
      alignas(64) C buffers[N + 1][kBlock];
      for (int64_t at = begin; at < end; at += kBlock) {
        const int64_t count = end - at < kBlock ? end - at : kBlock;
        const C* rows[N];
        int64_t steps[N];
        for (int i = 0; i < N; ++i) rows[i] = fetch(i, gathers[i], at, count, buffers[i], steps[i]);
        row_.call(row_.context, rows, steps, dense_out ? dense_out + at : buffers[N], count);
        if (!dense_out) scatter_out(buffers[N], out_, loop_.shape, loop_.strides[0], at, count);
      }
    });
  }

  /// The operand's elements follow each other in the order of the walk, as C.
  bool is_dense(int operand, DType dtype) const {
    if (dtype != dtype_of<C>) return false;
    int64_t step = 1;
    for (int64_t d = loop_.shape.rank() - 1; d >= 0; --d) {
      if (loop_.strides[size_t(operand)][d] != step) return false;
      step *= loop_.shape[d];
    }
    return true;
  }

  /// Elements [at, at + count) of an input: in place when they lie there as C, gathered otherwise.
  const C* fetch(int i, Gather<C> gather_in, int64_t at, int64_t count, C* buffer, int64_t& row_step) const {
    const RowOperand& input = inputs_[size_t(i)];
    row_step = 1;
    if (is_dense(i + 1, input.dtype)) return static_cast<const C*>(input.data) + at;
    if (row_.takes_scalars && single_run() && step(i + 1) == 0 && input.dtype == dtype_of<C>) {
      row_step = 0;
      return static_cast<const C*>(input.data);
    }
    gather_in(input.data, loop_.shape, loop_.strides[size_t(i) + 1], at, count, buffer);
    return buffer;
  }

  const RowCall<C>& row_;
  const std::array<RowOperand, N>& inputs_;
  char* out_;
  DType out_dtype_;
  StridedLoop<N + 1> loop_;
};

}  // namespace

template <class C, int N>
void run_rows(const RowCall<C>& row, const std::array<RowOperand, N>& inputs, Tensor& out) {
  RowRunner<C, N>(row, inputs, out).run();
}

template void run_rows<float, 1>(const RowCall<float>&, const std::array<RowOperand, 1>&, Tensor&);
template void run_rows<float, 2>(const RowCall<float>&, const std::array<RowOperand, 2>&, Tensor&);
template void run_rows<float, 3>(const RowCall<float>&, const std::array<RowOperand, 3>&, Tensor&);
template void run_rows<double, 1>(const RowCall<double>&, const std::array<RowOperand, 1>&, Tensor&);
template void run_rows<double, 2>(const RowCall<double>&, const std::array<RowOperand, 2>&, Tensor&);
template void run_rows<double, 3>(const RowCall<double>&, const std::array<RowOperand, 3>&, Tensor&);
template void run_rows<int64_t, 1>(const RowCall<int64_t>&, const std::array<RowOperand, 1>&, Tensor&);
template void run_rows<int64_t, 2>(const RowCall<int64_t>&, const std::array<RowOperand, 2>&, Tensor&);
template void run_rows<int64_t, 3>(const RowCall<int64_t>&, const std::array<RowOperand, 3>&, Tensor&);

}  // namespace plumb
