#pragma once

#include "apps/common/cli.h"

namespace plumb {

/// `plumb sample --model FOLDER --out DIR`: draws points (points.h) or pictures (pictures.h), whichever the model is
/// of.
int run_sample(const Arguments& arguments);

}  // namespace plumb
