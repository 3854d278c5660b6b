#include "autograd/graph_dot.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/backward.h"
#include "autograd/graph_layout.h"
#include "autograd/ops/elementwise.h"
#include "autograd/ops/linalg.h"
#include "autograd/ops/reduce.h"

using namespace plumb;

namespace {

struct Net {
  Net() {
    names.add(w, "net.weight \"<&>\"");
    names.add(b, "net.bias");
  }
  Variable loss() const {
    const Variable h = silu(linear(Variable(full({2, 3}, 1)), w, b));
    return sum(mul(add(h, h), h));
  }
  Variable w = Variable::leaf(full({4, 3}, 0.5)), b = Variable::leaf(full({4}, 0));
  LeafNames names;
};

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("graph: lists ops and leaves once, inputs first, with what they keep") {
  const Net net;
  const GraphView graph = GraphView::of(net.loss(), net.names);
  std::string names;
  for (const GraphNode& node : graph.nodes) names += node.name + " ";
  CHECK(names == "net.weight \"<&>\" net.bias linear silu add mul sum ");
  CHECK(graph.nodes[2].inputs == std::vector<int>{0, 1});
  CHECK(graph.nodes[4].inputs == std::vector<int>{3, 3});
  CHECK(graph.nodes[2].shape == Shape{2, 4});
  CHECK(graph.nodes[3].saved_bytes == 32);
  CHECK(graph.saved_bytes > 0);
  CHECK(GraphView::of(Variable(full({1}, 1))).nodes.empty());
}

TEST_CASE("graph: DOT has a line a node and an edge an input, escaped and the same every time") {
  const Net net;
  const std::string dot = graph_dot(GraphView::of(net.loss(), net.names));
  CHECK(count(dot, "[label") == 7);
  CHECK(count(dot, " -> ") == 8);
  CHECK(dot.find("n0 [label = \"net.weight \\\"<&>\\\"\\nf32[4, 3]\"") != std::string::npos);
  CHECK(dot.find("n3 [label = \"silu\\nf32[2, 4]\\nkeeps 32 B\"];") != std::string::npos);
  CHECK(dot == graph_dot(GraphView::of(net.loss(), net.names)));
}

TEST_CASE("graph: SVG draws every box and edge inside the picture, boxes apart") {
  const Net net;
  const std::string svg = graph_svg(GraphView::of(net.loss(), net.names));
  CHECK(count(svg, "<rect x=") == 7);
  CHECK(count(svg, "marker-end") == 8);
  CHECK(svg.find("net.weight \"&lt;&amp;&gt;\"") != std::string::npos);
  CHECK(svg.find("5 ops, 2 leaves") != std::string::npos);
  CHECK(svg == graph_svg(GraphView::of(net.loss(), net.names)));
}

TEST_CASE("graph layout: boxes do not overlap, edges go down, long ones keep clear of boxes") {
  // A chain of ten with a skip connection from the first to the last, and leaves at every step.
  std::vector<GraphBox> boxes{{80, 40, {}}};
  int previous = 0;
  for (int i = 0; i < 10; ++i) {
    boxes.push_back({120, 40, {}});
    const int leaf = int(boxes.size()) - 1;
    boxes.push_back({60 + 10.0 * (i % 3), 40, {previous, leaf}});
    previous = int(boxes.size()) - 1;
  }
  boxes.back().inputs.push_back(0);
  const GraphLayout layout = lay_out_graph(boxes);
  const auto apart = [&](size_t i, size_t j) {
    return std::abs(layout.centers[i].x - layout.centers[j].x) >= (boxes[i].width + boxes[j].width) / 2 ||
           std::abs(layout.centers[i].y - layout.centers[j].y) >= (boxes[i].height + boxes[j].height) / 2;
  };
  for (size_t i = 0; i < boxes.size(); ++i) {
    CHECK(layout.centers[i].x - boxes[i].width / 2 >= 0);
    CHECK(layout.centers[i].x + boxes[i].width / 2 <= layout.width);
    CHECK(layout.centers[i].y + boxes[i].height / 2 <= layout.height);
    for (size_t j = 0; j < i; ++j) CHECK(apart(i, j));
  }
  for (const GraphEdge& edge : layout.edges) {
    for (size_t k = 1; k < edge.points.size(); ++k) CHECK(edge.points[k].y > edge.points[k - 1].y);
    for (size_t k = 1; k + 1 < edge.points.size(); ++k)
      for (size_t i = 0; i < boxes.size(); ++i)
        CHECK((std::abs(edge.points[k].x - layout.centers[i].x) > boxes[i].width / 2 ||
               std::abs(edge.points[k].y - layout.centers[i].y) > boxes[i].height / 2));
  }
}

TEST_CASE("graph: bytes for people; a chain of a hundred thousand ops needs no deep stack") {
  CHECK(human_bytes(0) == "0 B");
  CHECK(human_bytes(1536) == "1.5 KiB");
  CHECK(human_bytes(int64_t(3) << 30) == "3 GiB");
  Variable y = Variable::leaf(full({1}, 1));
  for (int i = 0; i < 100000; ++i) y = mul(y, 1);
  CHECK(GraphView::of(y).nodes.size() == 100001);
}
