#include "autograd/node.h"

#include <new>

#include "engine/format.h"
#include "engine/pool.h"
#include "engine/require.h"

namespace plumb {

using NodePool = BlockPool<sizeof(Node)>;

Ref<Node> Node::make(const char* name) { return Ref<Node>::adopt(new (NodePool::take()) Node(name)); }

// Dropping the last Variable of a long chain must not recurse once per node: nodes whose count reaches zero while
// another is being destroyed wait in a list.
void Node::destroy(Node* node) {
  static thread_local std::vector<Node*>* waiting = nullptr;
  if (waiting) {
    waiting->push_back(node);
    return;
  }
  std::vector<Node*> list{node};
  waiting = &list;
  while (!list.empty()) {
    Node* next = list.back();
    list.pop_back();
    next->consume();
    next->~Node();
    NodePool::give(next);
  }
  waiting = nullptr;
}

void Node::consume() {
  if (drop) drop(closure);
  drop = nullptr;
  if (run) consumed = true;
  run = nullptr;
  for (int i = 0; i < saved_count; ++i) saved[i].tensor = Tensor();
  saved_count = 0;
  for (Ref<Node>& input : inputs()) input = Ref<Node>();
  more_inputs.reset();
  input_count = 0;
}

const Tensor& Saved::operator[](int index) const {
  const Node::SavedTensor& saved = node_.saved[index];
  require<Error>(!saved.tensor.defined() || saved.tensor.version() == saved.version,
                 "backward: {} needs a tensor that was changed in place after it was saved (version {}, now {}); {}",
                 node_.name, saved.version, saved.tensor.defined() ? saved.tensor.version() : 0u, saved.tensor);
  return saved.tensor;
}

}  // namespace plumb
