#pragma once

#include "apps/common/cli.h"

namespace plumb {

/// `plumb trace --network NAME --out DIR`: where a training step spends its time and memory, op by op (docs/trace.md).
int run_trace(const Arguments& arguments);

}  // namespace plumb
