#include "autograd/graph_view.h"

#include <fmt/format.h>

#include <unordered_set>

namespace plumb {
namespace {

class Walk {
 public:
  Walk(GraphView& view, const LeafNames& names) : view_(view), names_(names) {}

  /// Post-order with an explicit stack: a node is added once all its inputs are.
  void from(const Node* root) {
    stack_.push_back({root, 0});
    while (!stack_.empty()) {
      auto& [node, next] = stack_.back();
      const auto inputs = node->inputs();
      while (next < inputs.size() && (!inputs[next] || index_.count(inputs[next].get()))) ++next;
      if (next < inputs.size()) {
        stack_.push_back({inputs[next++].get(), 0});
        continue;
      }
      const Node* done = node;
      stack_.pop_back();
      if (!index_.count(done)) add(*done);
    }
  }

 private:
  struct Frame {
    const Node* node;
    size_t next;
  };

  void add(const Node& node) {
    index_[&node] = int(view_.nodes.size());
    GraphNode& out = view_.nodes.emplace_back();
    out.is_leaf = node.is_leaf();
    const std::string leaf_name = out.is_leaf ? names_.find(&node) : "";
    out.name = leaf_name.empty() ? node.name : leaf_name;
    out.shape = node.shape;
    out.dtype = node.dtype;
    for (const Ref<Node>& input : node.inputs())
      if (input) out.inputs.push_back(index_.at(input.get()));
    for (const Node::SavedTensor& saved : node.saved_tensors()) {
      if (!saved.tensor.defined()) continue;
      out.saved_bytes += saved.tensor.numel() * size_of(saved.tensor.dtype());
      if (storages_.insert(saved.tensor.storage().get()).second)
        view_.saved_bytes += int64_t(saved.tensor.storage()->bytes());
    }
  }

  GraphView& view_;
  const LeafNames& names_;
  std::vector<Frame> stack_;
  std::unordered_map<const Node*, int> index_;
  std::unordered_set<const Storage*> storages_;
};

}  // namespace

GraphView GraphView::of(const Variable& root, const LeafNames& names) {
  GraphView view;
  if (root.node()) Walk(view, names).from(root.node().get());
  return view;
}

std::string human_bytes(int64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = double(bytes);
  int unit = 0;
  for (; value >= 1024 && unit < 4; ++unit) value /= 1024;
  return fmt::format("{:.4g} {}", value, kUnits[unit]);
}

}  // namespace plumb
