// Picks the row function (float: of the instruction set in use; double and int64: portable) and hands it, with the
// operands, to strided_rows.h. Float tensors that lie flat in memory skip all of that.

#include "engine/format.h"
#include "engine/isa/elementwise_rows.h"
#include "engine/isa/kernels.h"
#include "engine/ops/elementwise/elementwise_kernels.h"
#include "engine/ops/elementwise/strided_rows.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr ElementwiseTable<double> kDoubleTable = [] {
  ElementwiseTable<double> table{};
  portable::set_floating(table);
  return table;
}();
constexpr ElementwiseTable<int64_t> kIntegerTable = [] {
  ElementwiseTable<int64_t> table{};
  portable::set_common(table);
  return table;
}();

template <class C>
const ElementwiseTable<C>& table() {
  if constexpr (std::is_same_v<C, float>) return kernels().elementwise;
  if constexpr (std::is_same_v<C, double>) return kDoubleTable;
  if constexpr (std::is_same_v<C, int64_t>) return kIntegerTable;
}

/// Calls f.operator()<C>() with the compute type of `dtype`.
template <class F>
void visit_row_type(const char* op, DType dtype, F&& f) {
  visit_dtype(AllTypes{}, dtype, op, [&]<class T>() { f.template operator()<RowType<T>>(); });
}

void require_known(bool known, const char* op, const Tensor& x) {
  require<DTypeError>(known, "{}: takes floating tensors, convert with to(); {}", op, x);
}

/// Both are f32 and their elements lie in memory in the same order without gaps.
bool is_flat(const Tensor& x, const Tensor& out) {
  return x.dtype() == DType::f32 && out.dtype() == DType::f32 && x.shape() == out.shape() &&
         ((x.is_contiguous() && out.is_contiguous()) || (x.is_channels_last() && out.is_channels_last()));
}

template <class C>
RowCall<C> row_call(const UnaryRow<C>& row) {
  return {[](const void* context, const C* const* in, const int64_t*, C* out, int64_t count) {
            (*static_cast<const UnaryRow<C>*>(context))(in[0], out, count);
          },
          &row, false};
}
template <class C>
RowCall<C> row_call(const BinaryRow<C>& row) {
  return {[](const void* context, const C* const* in, const int64_t*, C* out, int64_t count) {
            (*static_cast<const BinaryRow<C>*>(context))(in[0], in[1], out, count);
          },
          &row, false};
}
template <class C>
RowCall<C> row_call(const TernaryRow<C>& row) {
  return {[](const void* context, const C* const* in, const int64_t*, C* out, int64_t count) {
            (*static_cast<const TernaryRow<C>*>(context))(in[0], in[1], in[2], out, count);
          },
          &row, false};
}
template <class C>
RowCall<C> row_call(const BinaryRows<C>& rows) {
  return {[](const void* context, const C* const* in, const int64_t* steps, C* out, int64_t count) {
            const BinaryRows<C>& row = *static_cast<const BinaryRows<C>*>(context);
            if (steps[0] == steps[1] && (steps[0] == 1 || count == 1)) return row.both(in[0], in[1], out, count);
            if (steps[1] == 0 && steps[0] == 1) return row.scalar_right(in[0], in[1], out, count);
            if (steps[1] == 1) return row.scalar_left(in[0], in[1], out, count);
            row.both(in[0], in[1], out, 1);  // one pair, many results
            for (int64_t i = 1; i < count; ++i) out[i] = out[0];
          },
          &rows, true};
}

/// Flat f32 operands, the last one or two of which may be single elements. False when there is no row for that.
bool run_flat_ternary(const TernaryRows<float>& rows, const Tensor& a, const Tensor& b, const Tensor& c, Tensor& out) {
  const auto is_one = [](const Tensor& x) { return x.numel() == 1 && x.dtype() == DType::f32; };
  if (!is_flat(a, out)) return false;
  const bool flat_b = is_flat(b, out), flat_c = is_flat(c, out);
  TernaryRow<float> row = nullptr;
  if (flat_b && flat_c) row = rows.all;
  if (flat_b && !flat_c && is_one(c)) row = rows.scalar_c;
  if (!flat_b && !flat_c && is_one(b) && is_one(c)) row = rows.scalars_b_c;
  if (!row) return false;
  const float *from_a = a.data<float>(), *from_b = b.data<float>(), *from_c = c.data<float>();
  float* to = out.mutable_data<float>();
  parallel_for(out.numel(), kElementGrain, [=](int64_t begin, int64_t end) {
    row(from_a + begin, flat_b ? from_b + begin : from_b, flat_c ? from_c + begin : from_c, to + begin, end - begin);
  });
  return true;
}

}  // namespace

void unary_kernel(Cpu, UnaryOp op, const Tensor& x, Tensor& out) {
  if (is_flat(x, out)) {
    const UnaryRow<float> row = kernels().elementwise.unary[int(op)];
    const float* from = x.data<float>();
    float* to = out.mutable_data<float>();
    return parallel_for(out.numel(), kElementGrain,
                        [=](int64_t begin, int64_t end) { row(from + begin, to + begin, end - begin); });
  }
  visit_row_type(name_of(op), x.dtype(), [&]<class C>() {
    const UnaryRow<C>& row = table<C>().unary[int(op)];
    require_known(row != nullptr, name_of(op), x);
    run_rows<C, 1>(row_call<C>(row), {row_operand(x, out.shape())}, out);
  });
}

void unary_backward_kernel(Cpu, UnaryOp op, const Tensor& grad, const Tensor& z, Tensor& out) {
  if (is_flat(grad, out) && is_flat(z, out)) {
    const BinaryRow<float> row = kernels().elementwise.unary_backward[int(op)];
    const float *g = grad.data<float>(), *from = z.data<float>();
    float* to = out.mutable_data<float>();
    return parallel_for(out.numel(), kElementGrain,
                        [=](int64_t begin, int64_t end) { row(g + begin, from + begin, to + begin, end - begin); });
  }
  visit_row_type(name_of(op), grad.dtype(), [&]<class C>() {
    const BinaryRow<C>& row = table<C>().unary_backward[int(op)];
    require_known(row != nullptr, name_of(op), grad);
    run_rows<C, 2>(row_call<C>(row), {row_operand(grad, out.shape()), row_operand(z, out.shape())}, out);
  });
}

void silu_with_derivative_kernel(Cpu, const Tensor& x, Tensor& out, Tensor& derivative) {
  visit_dtype(TypeList<float, double>{}, x.dtype(), "silu", [&]<class T>() {
    const UnaryPairRow<T> row = table<T>().silu_with_derivative;
    const T* from = x.data<T>();
    T *to = out.mutable_data<T>(), *slope = derivative.mutable_data<T>();
    parallel_for(out.numel(), kElementGrain,
                 [=](int64_t begin, int64_t end) { row(from + begin, to + begin, slope + begin, end - begin); });
  });
}

void binary_kernel(Cpu, BinaryOp op, const Tensor& a, const Tensor& b, Tensor& out) {
  if (is_flat(a, out) && is_flat(b, out)) {
    const BinaryRow<float> row = kernels().elementwise.binary[int(op)].both;
    const float *left = a.data<float>(), *right = b.data<float>();
    float* to = out.mutable_data<float>();
    return parallel_for(out.numel(), kElementGrain,
                        [=](int64_t begin, int64_t end) { row(left + begin, right + begin, to + begin, end - begin); });
  }
  visit_row_type(name_of(op), a.dtype(), [&]<class C>() {
    const BinaryRows<C>& rows = table<C>().binary[int(op)];
    require_known(rows.both != nullptr, name_of(op), a);
    run_rows<C, 2>(row_call<C>(rows), {row_operand(a, out.shape()), row_operand(b, out.shape())}, out);
  });
}

void binary_scalar_kernel(Cpu, BinaryOp op, const Tensor& x, double value, bool scalar_left, Tensor& out) {
  if (is_flat(x, out)) {
    const BinaryRows<float>& rows = kernels().elementwise.binary[int(op)];
    const float scalar = float(value);
    const float* from = x.data<float>();
    float* to = out.mutable_data<float>();
    return parallel_for(out.numel(), kElementGrain, [&](int64_t begin, int64_t end) {
      if (scalar_left)
        rows.scalar_left(&scalar, from + begin, to + begin, end - begin);
      else
        rows.scalar_right(from + begin, &scalar, to + begin, end - begin);
    });
  }
  visit_row_type(name_of(op), x.dtype(), [&]<class C>() {
    const BinaryRows<C>& rows = table<C>().binary[int(op)];
    require_known(rows.both != nullptr, name_of(op), x);
    const C element = C(value);
    const RowOperand tensor = row_operand(x, out.shape());
    const RowOperand scalar{&element, dtype_of<C>, Dims::filled(out.rank(), 0)};
    run_rows<C, 2>(row_call<C>(rows), {scalar_left ? scalar : tensor, scalar_left ? tensor : scalar}, out);
  });
}

void ternary_kernel(Cpu, TernaryOp op, const Tensor& a, const Tensor& b, const Tensor& c, Tensor& out) {
  if (run_flat_ternary(kernels().elementwise.ternary[int(op)], a, b, c, out)) return;
  // b never is a condition, and of a 16-bit op it may be the f32 scalar: its type is what the op computes in.
  visit_row_type(name_of(op), b.dtype(), [&]<class C>() {
    const TernaryRow<C>& row = table<C>().ternary[int(op)].all;
    require_known(row != nullptr, name_of(op), out);
    run_rows<C, 3>(row_call<C>(row),
                   {row_operand(a, out.shape()), row_operand(b, out.shape()), row_operand(c, out.shape())}, out);
  });
}

}  // namespace plumb
