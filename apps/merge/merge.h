#pragma once

#include "apps/common/cli.h"

namespace plumb {

/// `plumb merge --model FOLDER --adapter FOLDER|FILE --out DIR`: adds a low-rank adapter to the weights of a model, and
/// writes the result as DIR/model. The inputs stay as they are.
int run_merge(const Arguments& arguments);

}  // namespace plumb
