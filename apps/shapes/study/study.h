#pragma once

#include "apps/common/cli.h"

namespace plumb {

/// `plumb shapes study`: the reference, preference sets without labels, every objective of the four papers on one
/// trainer, controls, and the table of what held. Everything it does is a list of commands of this program.
int run_shapes_study(const Arguments& arguments);

}  // namespace plumb
