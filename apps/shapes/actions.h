#pragma once

#include "apps/common/cli.h"

// The actions of `plumb shapes`; each takes what follows its name and returns the exit code.

namespace plumb::shapes {

int run_make(const Arguments& arguments);
int run_prompts(const Arguments& arguments);
int run_rewrites(const Arguments& arguments);
int run_score(const Arguments& arguments);
int run_preferences(const Arguments& arguments);
int run_sheet(const Arguments& arguments);
int run_features(const Arguments& arguments);
int run_certify(const Arguments& arguments);

}  // namespace plumb::shapes
