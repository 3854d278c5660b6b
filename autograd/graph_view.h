#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "autograd/variable.h"

namespace plumb {

/// Names for leaves in pictures of a graph, by Variable::node().
class LeafNames {
 public:
  /// Constants have no node and are passed over.
  void add(const Variable& leaf, std::string name) {
    if (leaf.node()) names_[leaf.node().get()] = std::move(name);
  }
  /// "" when there is none.
  std::string find(const Node* leaf) const {
    const auto found = names_.find(leaf);
    return found == names_.end() ? "" : found->second;
  }

 private:
  std::unordered_map<const Node*, std::string> names_;
};

/// One recorded op or leaf, as a picture shows it.
struct GraphNode {
  std::string name;  ///< of the op; a leaf's own name, or "leaf"
  bool is_leaf = false;
  Shape shape;              ///< of the value
  DType dtype;              ///< of the value; a leaf's is that of its gradient
  int64_t saved_bytes = 0;  ///< tensors kept for backward, what other nodes keep as well included
  std::vector<int> inputs;  ///< indices of nodes; constants have none and are left out
};

/// The graph behind a Variable, without recursion.
struct GraphView {
  std::vector<GraphNode> nodes;  ///< inputs before what uses them; the root last; empty for a constant
  int64_t saved_bytes = 0;       ///< of all saved tensors, memory that several share counted once

  static GraphView of(const Variable& root, const LeafNames& names = {});
};

/// "512 B", "1.5 KiB", "32 MiB".
std::string human_bytes(int64_t bytes);

}  // namespace plumb
