#pragma once

#include "apps/common/cli.h"

namespace plumb {

/// `plumb data check PATH`: reads every picture of a data set, plain or of preferences, and says what a run
/// would meet.
int run_data(const Arguments& arguments);

}  // namespace plumb
