#pragma once

#include "apps/common/cli.h"

namespace plumb {

/// `plumb op NAME --in case.safetensors [--attrs JSON] [--grad] --out out.safetensors`, `plumb op --batch DIR`,
/// `plumb op --list`: any op on tensors from a file, for tests from outside.
int run_op(const Arguments& arguments);

}  // namespace plumb
