#pragma once

#include "apps/common/cli.h"

namespace plumb {

/// `plumb train --train_data_dir`: a diffusion model of pictures; stops and resumes bit-exactly.
int run_train_pictures(const Arguments& arguments);

}  // namespace plumb
