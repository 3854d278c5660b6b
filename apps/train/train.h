#pragma once

#include "apps/common/cli.h"

namespace plumb {

/// `plumb train`: a diffusion model of pictures where --train_data_dir is given (pictures/train_pictures.h), else of
/// points from a file or from the 2D world; stops and resumes bit-exactly.
int run_train(const Arguments& arguments);

}  // namespace plumb
