#include "autograd/checkpoint.h"

#include "autograd/backward.h"

namespace plumb::detail {

Variable checkpoint_anchor() { return Variable::leaf(empty({0})); }

Grads recompute(RecomputeFunction call, const void* function, const Saved& saved, RecomputeInputs kinds,
                const Tensor& grad, Needs needs) {
  const int count = kinds.count;
  Variable leaves[Node::kMaxSaved], inputs[Node::kMaxSaved];
  EnableGrad enable;
  for (int i = 0; i < count; ++i) {
    inputs[i] = Variable(saved[i]);
    if (!needs[i]) continue;
    leaves[i] = Variable::leaf(saved[i]);
    if (kinds.leaves >> i & 1) {
      inputs[i] = leaves[i];
      continue;
    }
    // A node in front of the leaf: contributions from inside are added as they are in the plain graph, in the value's
    // own type, and the leaf receives the sum once.
    inputs[i] = record("checkpoint_input", saved[i], {leaves[i]}, save(),
                       [](const Saved&, const Tensor& inner, Needs) { return Grads(inner); });
  }
  const Variable y = call(function, inputs);
  if (y.requires_grad()) backward(y, {.grad = grad});
  std::vector<Tensor> grads(size_t(count) + 1);
  for (int i = 0; i < count; ++i) {
    const Tensor collected = needs[i] ? leaves[i].grad() : Tensor();
    if (!collected.defined()) continue;
    // Going back to 16 bits is exact when that is what came in; an outer leaf takes the f32 sum as it is.
    grads[size_t(i)] = kinds.leaves >> i & 1 ? collected : collected.to(saved[i].dtype());
  }
  return Grads(std::move(grads));
}

}  // namespace plumb::detail
