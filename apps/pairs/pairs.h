#pragma once

#include "apps/common/cli.h"

namespace plumb {

/// `plumb pairs [--model FOLDER] --out DIR`: a preference set. Of points in DIR/pairs.safetensors (apps/common/
/// pair_file.h): winners and losers sampled from the model with c and with c-, or drawn from the clean 2D world. Of a
/// model of pictures see picture_pairs.h.
int run_pairs(const Arguments& arguments);

}  // namespace plumb
