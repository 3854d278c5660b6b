#pragma once

#include "apps/common/cli.h"

namespace plumb {

/// `plumb align` on the folder of a model of pictures; stops and resumes bit-exactly. Writes OUT/model, with LoRA
/// OUT/adapter beside it.
int run_align_pictures(const Arguments& arguments);

}  // namespace plumb
