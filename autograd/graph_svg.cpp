#include <algorithm>

#include "autograd/graph_dot.h"
#include "autograd/graph_layout.h"
#include "engine/format.h"

namespace plumb {
namespace {

constexpr double kCharWidth = 7.2, kLineHeight = 16, kPadding = 10, kCaption = 24;

std::string escaped(const std::string& text) {
  std::string out;
  for (char c : text) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out += c;
    }
  return out;
}

std::vector<std::string> lines_of(const GraphNode& node) {
  std::vector<std::string> lines{node.name, fmt::format("{}{}", node.dtype, node.shape)};
  if (node.saved_bytes > 0) lines.push_back("keeps " + human_bytes(node.saved_bytes));
  return lines;
}

GraphBox box_of(const GraphNode& node) {
  const std::vector<std::string> lines = lines_of(node);
  size_t longest = 0;
  for (const std::string& line : lines) longest = std::max(longest, line.size());
  return {double(longest) * kCharWidth + 2 * kPadding, double(lines.size()) * kLineHeight + kPadding, node.inputs};
}

/// A smooth curve through the points, vertical at each.
std::string path_of(const GraphEdge& edge) {
  std::string path = fmt::format("M{:.1f} {:.1f}", edge.points[0].x, edge.points[0].y);
  for (size_t i = 1; i < edge.points.size(); ++i) {
    const GraphPoint a = edge.points[i - 1], b = edge.points[i];
    const double middle = (a.y + b.y) / 2;
    path += fmt::format(" C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}", a.x, middle, b.x, middle, b.x, b.y);
  }
  return path;
}

std::string box_text(const GraphNode& node, const GraphBox& box, const GraphPoint& center) {
  std::string out = fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"{}\" fill=\"{}\" stroke=\"#4a5568\"/>\n",
      center.x - box.width / 2, center.y - box.height / 2, box.width, box.height, node.is_leaf ? 12 : 3,
      node.is_leaf ? "#dcebff" : "#ffffff");
  double y = center.y - box.height / 2 + kPadding / 2 + kLineHeight * 0.75;
  bool first = true;
  for (const std::string& line : lines_of(node)) {
    out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\"{}>{}</text>\n", center.x, y,
                       first ? " font-weight=\"bold\"" : " fill=\"#4a5568\"", escaped(line));
    y += kLineHeight;
    first = false;
  }
  return out;
}

}  // namespace

std::string graph_svg(const GraphView& graph) {
  std::vector<GraphBox> boxes;
  for (const GraphNode& node : graph.nodes) boxes.push_back(box_of(node));
  const GraphLayout layout = lay_out_graph(boxes);
  const auto leaves =
      std::count_if(graph.nodes.begin(), graph.nodes.end(), [](const GraphNode& n) { return n.is_leaf; });
  const std::string caption = fmt::format("{} ops, {} leaves, {} kept for backward",
                                          int64_t(graph.nodes.size()) - leaves, leaves, human_bytes(graph.saved_bytes));
  const double width = std::max(layout.width, double(caption.size()) * kCharWidth + 40);
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
      "font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"12\" text-anchor=\"middle\">\n"
      "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" "
      "orient=\"auto\"><path d=\"M0 0 L8 4 L0 8 z\" fill=\"#718096\"/></marker></defs>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
      width, layout.height + kCaption);
  for (const GraphEdge& edge : layout.edges)
    out += fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"#718096\" marker-end=\"url(#arrow)\"/>\n", path_of(edge));
  for (size_t i = 0; i < boxes.size(); ++i) out += box_text(graph.nodes[i], boxes[i], layout.centers[i]);
  out += fmt::format("<text x=\"20\" y=\"{:.0f}\" text-anchor=\"start\" fill=\"#4a5568\">{}</text>\n</svg>\n",
                     layout.height + kCaption / 2, caption);
  return out;
}

}  // namespace plumb
