// A block is gathered operand by operand with an odometer over the coalesced loop, so rows of two elements cost about
// as much an element as long ones. Block boundaries never change a result: every element is computed alone.

#include "engine/ops/elementwise/strided_rows.h"

namespace plumb {
namespace {

constexpr int64_t kBlock = 512;
constexpr int64_t kShortRow = 16;  // rows shorter than this are gathered: a call a row would cost more

template <class C>
using LoadRow = void (*)(const char* from, int64_t step, C* to, int64_t count);
template <class C>
using StoreRow = void (*)(const C* from, char* to, int64_t step, int64_t count);

template <class T, class C>
void load_row(const char* bytes, int64_t step, C* to, int64_t count) {
  const T* from = reinterpret_cast<const T*>(bytes);
  if (step == 1)
    for (int64_t i = 0; i < count; ++i) to[i] = static_cast<C>(static_cast<Compute<T>>(from[i]));
  else
    for (int64_t i = 0; i < count; ++i) to[i] = static_cast<C>(static_cast<Compute<T>>(from[i * step]));
}

template <class T, class C>
void store_row(const C* from, char* bytes, int64_t step, int64_t count) {
  T* to = reinterpret_cast<T*>(bytes);
  for (int64_t i = 0; i < count; ++i) {
    if constexpr (std::is_same_v<T, bool>)
      to[i * step] = from[i] != C(0);
    else
      to[i * step] = static_cast<T>(from[i]);
  }
}

template <class T, class C>
constexpr bool storable = std::is_same_v<T, bool> || std::is_same_v<RowType<T>, C>;

template <class C>
LoadRow<C> loader(DType dtype) {
  LoadRow<C> found = nullptr;
  visit_dtype(AllTypes{}, dtype, "elementwise", [&]<class T>() {
    if constexpr (storable<T, C>) found = load_row<T, C>;
  });
  return found;
}
template <class C>
StoreRow<C> storer(DType dtype) {
  StoreRow<C> found = nullptr;
  visit_dtype(AllTypes{}, dtype, "elementwise", [&]<class T>() {
    if constexpr (storable<T, C>) found = store_row<T, C>;
  });
  return found;
}

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
    LoadRow<C> load[N];
    for (int i = 0; i < N; ++i) load[i] = loader<C>(inputs_[size_t(i)].dtype);
    const StoreRow<C> store = storer<C>(out_dtype_);
    const int64_t out_size = size_of(out_dtype_);
    parallel_for(numel(loop_.shape), kElementGrain, [&](int64_t begin, int64_t end) {
      alignas(64) C buffers[N + 1][kBlock];
      for (int64_t at = begin; at < end; at += kBlock) {
        const int64_t count = end - at < kBlock ? end - at : kBlock;
        const C* rows[N];
        int64_t steps[N];
        for (int i = 0; i < N; ++i) rows[i] = fetch(i, load[i], at, count, buffers[i], steps[i]);
        row_.call(row_.context, rows, steps, buffers[N], count);
        for_each_run(loop_.shape, loop_.strides[0], at, count, [&](int64_t offset, int64_t s, int64_t n, int64_t from) {
          store(buffers[N] + from, out_ + offset * out_size, s, n);
        });
      }
    });
  }

  /// Elements [at, at + count) of an input: in place when they lie there as C, gathered otherwise.
  const C* fetch(int i, LoadRow<C> load, int64_t at, int64_t count, C* buffer, int64_t& row_step) const {
    const RowOperand& input = inputs_[size_t(i)];
    const Strides& strides = loop_.strides[size_t(i) + 1];
    row_step = 1;
    if (single_run() && input.dtype == dtype_of<C>) {
      const C* data = static_cast<const C*>(input.data);
      if (strides[0] == 1) return data + at;
      if (strides[0] == 0 && row_.takes_scalars) {
        row_step = 0;
        return data;
      }
    }
    const char* bytes = static_cast<const char*>(input.data);
    const int64_t size = size_of(input.dtype);
    for_each_run(loop_.shape, strides, at, count, [&](int64_t offset, int64_t s, int64_t n, int64_t to) {
      load(bytes + offset * size, s, buffer + to, n);
    });
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
