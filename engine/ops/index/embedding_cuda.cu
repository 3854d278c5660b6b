// Forward: a thread copies 16 bytes of a row where rows allow it, else an element. Backward: sums in order of
// occurrence (ordered_add.cuh).

#include "engine/cuda/flat.cuh"
#include "engine/ops/index/embedding_kernels.h"
#include "engine/ops/index/ordered_add.cuh"
#include "engine/ops/index/pick.cuh"

namespace plumb {

void embedding_kernel(Cuda cuda, const Tensor& indices, const Tensor& weight, Tensor& out) {
  const int64_t bytes = weight.shape()[1] * size_of(weight.dtype());
  const void* table = weight.raw_data();
  void* to = out.raw_mutable_data();
  const bool wide = bytes % 16 == 0 && is_aligned_for_packs(table) && is_aligned_for_packs(to);
  visit_word(wide ? 16 : size_of(weight.dtype()), [&]<class Word>() {
    const int64_t words = bytes / int64_t(sizeof(Word));
    const StridedLoop<3> loop{{indices.numel(), words}, {Strides{words, 1}, Strides{1, 0}, Strides{0, 1}}};
    walk_on_device("embedding", cuda, loop,
                   Pick<Word>{static_cast<const Word*>(table), indices.data<int64_t>(), static_cast<Word*>(to), words});
  });
}

void embedding_backward_kernel(Cuda cuda, const Tensor& grad, const Tensor& indices, Tensor& out) {
  const int64_t width = out.shape()[1];
  const OrderedAdd add{.index = indices.data<int64_t>(),
                       .source = grad.raw_data(),
                       .target = out.raw_mutable_data(),
                       .dtype = out.dtype(),
                       .lists = walk_of(StridedLoop<3>{{1}, {Strides{0}, Strides{0}, Strides{0}}}),
                       .columns = walk_of(StridedLoop<2>{{width}, {Strides{1}, Strides{1}}}),
                       .list_count = 1,
                       .count = indices.numel(),
                       .width = width,
                       .target_step = width,
                       .index_step = 1,
                       .source_step = width};
  add_in_order("embedding_backward", cuda, add);
}

}  // namespace plumb
