// Two passes over the graph: the first counts, for every node, how many gradients it is still waiting for; the second
// runs nodes whose count has come down to zero, newest first.

#include "autograd/backward.h"

#include <atomic>
#include <vector>

#include "autograd/record.h"
#include "engine/format.h"
#include "engine/ops/elementwise/binary.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

// A backward inside a backward (checkpoint) must not disturb the counts the outer sweep keeps in shared leaves.
thread_local int sweep_depth = 0;

struct DepthScope {
  DepthScope() { ++sweep_depth; }
  ~DepthScope() { --sweep_depth; }
};

uint64_t next_sweep() {
  static std::atomic<uint64_t> counter{0};
  return ++counter;
}

bool counts(const Node& node) { return !node.is_leaf() || sweep_depth == 1; }

void count_pending(Node& root, uint64_t sweep) {
  std::vector<Node*> stack{&root};
  root.sweep = sweep;
  root.pending = 0;
  while (!stack.empty()) {
    Node& node = *stack.back();
    stack.pop_back();
    require<Error>(!node.consumed, "backward: the graph behind {} was freed by an earlier backward; set retain_graph",
                   node.name);
    for (const Ref<Node>& input : node.inputs()) {
      if (!input || !counts(*input)) continue;
      if (input->sweep != sweep) {
        input->sweep = sweep;
        input->pending = 0;
        stack.push_back(input.get());
      }
      ++input->pending;
    }
  }
}

/// Nobody else holds this tensor or its bytes (an op may return one tensor for two inputs), so it may be added to in
/// place.
bool is_ours(const Tensor& tensor) {
  return (tensor.is_contiguous() || tensor.is_channels_last()) && tensor.offset() == 0 && tensor.is_exclusive();
}

void add_to_leaf(Node& leaf, Tensor grad) {
  if (!leaf.grad.defined()) {
    // First gradient ever: adopt it if it is ours alone, else copy.
    leaf.grad = grad.dtype() == leaf.dtype && grad.is_contiguous() && is_ours(grad) ? std::move(grad) : [&] {
      Tensor own = empty(leaf.shape, leaf.dtype, grad.device());
      own.copy_(grad);
      return own;
    }();
  } else if (leaf.has_grad) {
    leaf.grad.add_(grad);
  } else {
    leaf.grad.copy_(grad);
  }
  leaf.has_grad = true;
}

void add_to_interior(Node& node, Tensor grad) {
  if (!node.grad.defined()) {
    node.grad = std::move(grad);
  } else if (is_ours(node.grad)) {
    node.grad.add_(grad);
  } else {
    node.grad = add(node.grad, grad);
  }
}

void deliver(Node& from, Node& to, Tensor grad) {
  require<Error>(grad.shape() == to.shape, "backward: {} returned a gradient of the wrong shape (expected {}); {}",
                 from.name, to.shape, grad);
  if (to.is_leaf())
    add_to_leaf(to, std::move(grad));
  else
    add_to_interior(to, std::move(grad));
}

Needs needs_of_node(const Node& node) {
  uint32_t mask = 0;
  const std::span<const Ref<Node>> inputs = node.inputs();
  for (size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i]) mask |= i < 32 ? 1u << i : 1u << 31;
  return Needs(mask);
}

class Sweep {
 public:
  explicit Sweep(const BackwardOptions& options) : options_(options) {}

  void run(const Ref<Node>& root, Tensor grad) {
    count_pending(*root, next_sweep());
    if (root->is_leaf()) {
      add_to_leaf(*root, std::move(grad));
      return notify(*root);
    }
    root->grad = std::move(grad);
    ready_.push_back(root);
    while (!ready_.empty()) {
      const Ref<Node> node = std::move(ready_.back());
      ready_.pop_back();
      step(*node);
    }
  }

 private:
  void step(Node& node) {
    const ProfileRange range(node.name, EventKind::backward);
    Tensor grad = std::move(node.grad);
    Grads grads = node.run(node.closure, Saved(node), grad, needs_of_node(node));
    grad = Tensor();  // so that a gradient handed through has one owner again
    const std::span<Ref<Node>> inputs = node.inputs();
    for (size_t i = 0; i < inputs.size(); ++i) {
      const Ref<Node>& input = inputs[i];
      if (!input) continue;
      Tensor& input_grad = grads[int(i)];
      if (input_grad.defined()) {
        if (anomaly_enabled()) detail::check_for_nan(node.name, "gradient", input_grad);
        deliver(node, *input, std::move(input_grad));
      }
      if (counts(*input) && --input->pending == 0) finish(input);
    }
    if (!options_.retain_graph) node.consume();
  }

  void finish(const Ref<Node>& node) {
    if (node->is_leaf())
      notify(*node);
    else if (node->grad.defined())
      ready_.push_back(node);
    else
      skip(node);
  }

  /// No gradient reached this node (an op returned none): those below it must not wait for it.
  void skip(const Ref<Node>& node) {
    std::vector<Ref<Node>> stack{node};
    while (!stack.empty()) {
      const Ref<Node> current = std::move(stack.back());
      stack.pop_back();
      for (const Ref<Node>& input : current->inputs()) {
        if (!input || !counts(*input) || --input->pending > 0) continue;
        if (!input->is_leaf() && !input->grad.defined())
          stack.push_back(input);
        else
          finish(input);
      }
      if (!options_.retain_graph) current->consume();
    }
  }

  void notify(Node& leaf) {
    if (options_.leaf_ready && leaf.has_grad) options_.leaf_ready(options_.leaf_ready_context, leaf);
  }

  const BackwardOptions& options_;
  std::vector<Ref<Node>> ready_;
};

}  // namespace

void backward(const Variable& root, const BackwardOptions& options) {
  require<Error>(root.requires_grad(), "backward: root needs no gradient; it was made from constants or under NoGrad");
  Tensor grad = options.grad;
  if (!grad.defined()) {
    require<ShapeError>(root.numel() == 1, "backward: a root of more than one element needs a gradient; {}",
                        root.value());
    grad = full(root.shape(), 1, root.dtype(), root.device());
  }
  require<ShapeError>(grad.shape() == root.shape() && grad.dtype() == root.dtype(),
                      "backward: grad must match the root; {} for {}", grad, root.value());
  DepthScope depth;
  NoGrad no_grad;  // closures may call ops on Variables by accident; nothing may be recorded
  Sweep(options).run(root.node(), std::move(grad));
}

}  // namespace plumb
