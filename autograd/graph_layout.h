#pragma once

#include <vector>

namespace plumb {

struct GraphPoint {
  double x, y;
};

struct GraphBox {
  double width, height;
  std::vector<int> inputs;  ///< drawn above; indices of boxes that come earlier in the list
};

struct GraphEdge {
  int from, to;
  std::vector<GraphPoint> points;  ///< from the lower side of `from` to the upper side of `to`, layer by layer
};

struct GraphLayout {
  std::vector<GraphPoint> centers;  ///< of each box
  std::vector<GraphEdge> edges;
  double width = 0, height = 0;
};

/// A layered drawing (Sugiyama, Tagawa & Toda 1981): the last box at the bottom; every box one layer above the highest
/// of those that use it; edges that cross layers bend around boxes through points of their own; neighbours ordered by
/// the mean position of what they connect to; x by least squares under a minimal distance. Deterministic.
GraphLayout lay_out_graph(const std::vector<GraphBox>& boxes);

}  // namespace plumb
