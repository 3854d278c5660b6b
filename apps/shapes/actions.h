#pragma once

#include "apps/common/cli.h"

// The actions of `plumb shapes`; each takes what follows its name and returns the exit code.

namespace plumb::shapes {

int run_make(const Arguments& arguments);
int run_prompts(const Arguments& arguments);

}  // namespace plumb::shapes
