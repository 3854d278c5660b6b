#pragma once

#include "autograd/variable.h"

namespace plumb {

struct BackwardOptions {
  /// Gradient of the root; ones when undefined, which needs a root of one element.
  Tensor grad = {};
  /// Keeps nodes and saved tensors so that backward can run again. By default each node is freed once it is used.
  bool retain_graph = false;
  /// Called once per leaf when its last contribution of this sweep has arrived (to start an all-reduce, say).
  void (*leaf_ready)(void* context, Node& leaf) = nullptr;
  void* leaf_ready_context = nullptr;
};

/// Adds d root / d leaf to the gradient of every leaf below `root`. One loop with an explicit stack; interior gradients
/// are moved on first contribution; the order depends on the graph alone, so the bits repeat.
/// Throws Error when root needs no gradient, when the graph was freed by an earlier sweep, or when a saved tensor was
/// changed in place; ShapeError when `grad` does not fit; NumericError in anomaly mode.
void backward(const Variable& root, const BackwardOptions& options = {});

}  // namespace plumb
