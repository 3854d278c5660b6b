#pragma once

#include "apps/common/cli.h"

namespace plumb {

/// `plumb sample --model FOLDER --num_samples N --out DIR`: draws points from a trained model into samples.safetensors
/// (samples [N, D], labels [N]) and a scatter plot; the PNG carries the parameters.
int run_sample(const Arguments& arguments);

}  // namespace plumb
