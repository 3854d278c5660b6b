#pragma once

#include "apps/common/cli.h"

namespace plumb {

/// `plumb toy2d`: the 2D mixture-of-Gaussians experiment of the DDSPO paper (Sec. 4.1, Fig. 2), start to finish.
int run_toy2d(const Arguments& arguments);

}  // namespace plumb
