#pragma once

#include <string>

#include "autograd/graph_view.h"

namespace plumb {

/// The graph as a Graphviz document (`dot -Tsvg`): a box an op with its name, the type and shape of its value and the
/// bytes it keeps for backward; leaves rounded. Arrows point the way of the computation. The same graph gives the same
/// text.
std::string graph_dot(const GraphView& graph);

/// The graph as an SVG picture, drawn without Graphviz (see graph_layout.h). Readable up to some dozens of nodes.
std::string graph_svg(const GraphView& graph);

}  // namespace plumb
