#pragma once

#include "apps/common/cli.h"

namespace plumb {

/// `plumb eval`: what scored pictures, folders of pictures and models are worth, with intervals.
int run_eval(const Arguments& arguments);

}  // namespace plumb
