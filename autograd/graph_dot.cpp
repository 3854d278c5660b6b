#include "autograd/graph_dot.h"

#include "engine/format.h"

namespace plumb {
namespace {

std::string escaped(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string graph_dot(const GraphView& graph) {
  std::string out =
      "digraph graph_of_ops {\n  rankdir = TB;\n  node [shape = box, fontname = \"Helvetica\", fontsize = 11];\n";
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const GraphNode& node = graph.nodes[i];
    std::string label = fmt::format("{}\\n{}{}", escaped(node.name), node.dtype, node.shape);
    if (node.saved_bytes > 0) label += "\\nkeeps " + human_bytes(node.saved_bytes);
    out += fmt::format("  n{} [label = \"{}\"{}];\n", i, label,
                       node.is_leaf ? ", style = \"rounded,filled\", fillcolor = \"#dcebff\"" : "");
  }
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    for (int input : graph.nodes[i].inputs) out += fmt::format("  n{} -> n{};\n", input, i);
  return out + "}\n";
}

}  // namespace plumb
