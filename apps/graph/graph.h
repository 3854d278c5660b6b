#pragma once

#include "apps/common/cli.h"

namespace plumb {

/// `plumb graph --what mlp|OBJECTIVE --out DIR`: the autograd graph of the 2D network's loss as graph.dot and
/// graph.svg.
int run_graph(const Arguments& arguments);

}  // namespace plumb
