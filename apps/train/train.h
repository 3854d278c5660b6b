#pragma once

#include "apps/common/cli.h"

namespace plumb {

/// `plumb train`: a diffusion model of points from a file or from the 2D world; stops and resumes bit-exactly.
int run_train(const Arguments& arguments);

}  // namespace plumb
