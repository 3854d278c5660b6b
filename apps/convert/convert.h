#pragma once

#include "apps/common/cli.h"

namespace plumb {

/// `plumb convert MODEL --out FOLDER|FILE.safetensors`: a model of pictures from a folder in diffusers' layout to a
/// single file in the names of Stable Diffusion, the other way, or to the same form again; with --dtype in another
/// type. The input stays as it is, and nothing half written is left.
int run_convert(const Arguments& arguments);

}  // namespace plumb
