#pragma once

#include "apps/common/cli.h"

namespace plumb {

/// `plumb align --model FOLDER --objective NAME --policy NAME`: fine-tunes a point model on preference pairs; stops and
/// resumes bit-exactly. Writes OUT/model, with LoRA OUT/adapter beside it.
int run_align(const Arguments& arguments);

}  // namespace plumb
