#pragma once

#include "apps/common/cli.h"

namespace plumb {

/// `plumb shapes ACTION …`: the world of captioned shapes. Returns the exit code.
int run_shapes(const Arguments& arguments);

}  // namespace plumb
