#pragma once

#include "apps/common/cli.h"

namespace plumb {

/// `plumb gradcheck OP|all`, `--objective NAME|all`: gradients against central differences in float64, as a table.
/// Exit code 1 when one disagrees.
int run_gradcheck_verb(const Arguments& arguments);

}  // namespace plumb
