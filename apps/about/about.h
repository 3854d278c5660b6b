#pragma once

#include <string>

#include "apps/common/cli.h"

namespace plumb {

/// `plumb about`: version, compiler, machine; the worked example of a verb.
int run_about(const Arguments& arguments);

/// The line of `plumb --version`, with its line break.
std::string version_line();

}  // namespace plumb
