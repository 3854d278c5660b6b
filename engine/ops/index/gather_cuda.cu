// Gather: one thread an element. Scatter: two entries can only meet on the same line along dim. Many lines: one thread
// each, which walks it in order, neighbours beside it. Few long ones, or one list for all lines (index_select's
// gradient): ordered_add.cuh. All orders are fixed.

#include "engine/ops/index/gather_kernels.h"
#include "engine/ops/index/ordered_add.cuh"
#include "engine/ops/index/pick.cuh"

namespace plumb {
namespace {

constexpr int64_t kManyLines = 1024;  // each multiprocessor has some
constexpr int64_t kShortLine = 32;    // entries that one thread may as well walk

Strides without(Strides strides, int64_t dim) {
  strides.erase(dim);
  return strides;
}

template <class A>
struct AddLine {
  const void* source;
  const int64_t* index;
  void* target;
  DType dtype;
  int64_t length, target_step, index_step, source_step;

  __device__ void operator()(const Places<3>& p) const {
    for (int64_t j = 0; j < length; ++j) {
      const int64_t to = p.at[0] + index[p.at[1] + j * index_step] * target_step;
      const A term = load_element<A>(source, dtype, p.at[2] + j * source_step);
      store_element(target, dtype, to, load_element<A>(target, dtype, to) + term);
    }
  }
};

bool is_one_list(const Tensor& index, int64_t dim) {
  for (int64_t d = 0; d < index.rank(); ++d)
    if (d != dim && index.shape()[d] > 1 && index.strides()[d] != 0) return false;
  return true;
}

}  // namespace

void gather_kernel(Cuda cuda, const Tensor& x, int64_t dim, const Tensor& index, Tensor& out) {
  Strides from = x.strides();
  const int64_t step = from[dim];
  from[dim] = 0;  // the index says where along dim
  const auto loop = make_loop<3>(out.shape(), {out.strides(), index.strides(), from});
  visit_word(size_of(x.dtype()), [&]<class Word>() {
    walk_on_device("gather", cuda, loop,
                   Pick<Word>{static_cast<const Word*>(x.raw_data()), index.data<int64_t>(),
                              static_cast<Word*>(out.raw_mutable_data()), step});
  });
}

void scatter_add_kernel(Cuda cuda, const Tensor& src, int64_t dim, const Tensor& index, Tensor& target) {
  const char* op = "scatter_add";
  const Shape& sizes = index.shape();
  const int64_t length = sizes[dim], target_step = target.strides()[dim], index_step = index.strides()[dim],
                source_step = src.strides()[dim];
  const auto lines = make_loop<3>(without(sizes, dim), {without(target.strides(), dim), without(index.strides(), dim),
                                                        without(src.strides(), dim)});
  const int64_t line_count = numel(lines.shape);
  const bool one_list = is_one_list(index, dim);
  if (length <= kShortLine || (line_count >= kManyLines && !one_list))
    return visit_element_type(target.dtype(), [&]<class A>() {
      walk_on_device(op, cuda, lines,
                     AddLine<A>{src.raw_data(), index.data<int64_t>(), target.raw_mutable_data(), target.dtype(),
                                length, target_step, index_step, source_step});
    });
  const StridedLoop<3> one{{1}, {Strides{0}, Strides{0}, Strides{0}}};
  const StridedLoop<2> columns{lines.shape, {lines.strides[0], lines.strides[2]}},
      column{{1}, {Strides{0}, Strides{0}}};
  add_in_order(op, cuda,
               {.index = index.data<int64_t>(),
                .source = src.raw_data(),
                .target = target.raw_mutable_data(),
                .dtype = target.dtype(),
                .lists = walk_of(one_list ? one : lines),
                .columns = walk_of(one_list ? columns : column),
                .list_count = one_list ? 1 : line_count,
                .count = length,
                .width = one_list ? line_count : 1,
                .target_step = target_step,
                .index_step = index_step,
                .source_step = source_step});
}

}  // namespace plumb
