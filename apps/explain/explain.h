#pragma once

#include "apps/common/cli.h"

namespace plumb {

/// `plumb explain --objective NAME --policy NAME`: one preference pair at one timestep, with every number between the
/// points and the gradient. Writes nothing.
int run_explain(const Arguments& arguments);

}  // namespace plumb
