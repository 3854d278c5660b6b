#pragma once

#include "apps/common/cli.h"

namespace plumb {

/// `plumb objective NAME --in case.safetensors [--set key=value …] --out out.safetensors`, `--batch DIR`, `--list`: any
/// objective on predictions from a file, for tests from outside.
int run_objective(const Arguments& arguments);

}  // namespace plumb
