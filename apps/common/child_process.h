#pragma once

#include <string>

#include "apps/common/cli.h"

namespace plumb {

/// The path of this program, for running it again. Throws IoError where the system does not tell.
std::string own_program();

/// Runs a program with these words, waits for it, and returns its exit code; 128 + N when signal N ended it. It shares
/// this process' output, and its process group, so that Ctrl-C reaches both. May be called from several threads.
/// Throws IoError naming the program when it cannot be started.
int run_child(const std::string& program, const Arguments& words);

}  // namespace plumb
