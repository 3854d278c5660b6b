#include "autograd/variable.h"

#include "engine/format.h"
#include "engine/require.h"

namespace plumb {

Variable Variable::leaf(Tensor value) {
  require<DTypeError>(is_floating(value.dtype()), "leaf: gradients need a floating type; {}", value);
  Ref<Node> node = Node::make("leaf");
  node->shape = value.shape();
  node->dtype = acc_dtype(value.dtype());
  return Variable(std::move(value), std::move(node));
}

void Variable::zero_grad() {
  if (is_leaf()) node_->has_grad = false;
}

void Variable::use_grad_storage(Tensor storage) {
  require<Error>(is_leaf(), "use_grad_storage: only a leaf keeps a gradient");
  require<ShapeError>(storage.shape() == shape() && storage.dtype() == node_->dtype,
                      "use_grad_storage: storage must have the leaf's shape and gradient type ({}); {}", node_->dtype,
                      storage);
  if (node_->has_grad) storage.copy_(node_->grad);
  node_->grad = std::move(storage);
}

}  // namespace plumb
