#pragma once

#include "apps/common/cli.h"

namespace plumb {

/// `plumb plan --objective NAME …`: what a fine-tuning run would be: effective batch, learning rate in the published
/// conventions, strength of beta, forwards, memory. Writes nothing.
int run_plan(const Arguments& arguments);

}  // namespace plumb
