#include "nn/optim/clip.h"

#include "engine/format.h"
#include "engine/ops/optim/flat.h"
#include "engine/require.h"

namespace plumb {
namespace {

template <class F>
void for_each_run(ParameterArena& arena, F&& f) {
  for (const ParameterArena::Group& group : arena.groups())
    for (const ParameterArena::Run& run : arena.runs_with_grad(group)) {
      Tensor grads = group.grads.view_as({run.end - run.begin}, {1}, run.begin);
      f(grads);
    }
}

}  // namespace

Tensor grad_norm(ParameterArena& arena) {
  Tensor total = scalar(0, DType::f64, arena.groups().front().grads.device());
  for_each_run(arena, [&](const Tensor& grads) { add_sum_of_squares_(total, grads); });
  return root_of(total);
}

Tensor clip_grad_norm(ParameterArena& arena, double max_norm) {
  require<ValueError>(max_norm > 0, "clip_grad_norm: the largest norm must be positive ({})", max_norm);
  const Tensor norm = grad_norm(arena);
  const Tensor factor = clip_factor(norm, max_norm);
  for_each_run(arena, [&](Tensor& grads) { scale_by_(grads, factor); });
  return norm;
}

Tensor not_finite(const Tensor& x) { return is_not_finite(x); }

}  // namespace plumb
