#pragma once

#include "apps/common/cli.h"

namespace plumb {

/// `plumb inspect PATH`: what is in a safetensors file, a checkpoint, a model folder or the folder of a run. Hashes of
/// manifests are checked, and the weights of models we know are loaded.
int run_inspect(const Arguments& arguments);

}  // namespace plumb
