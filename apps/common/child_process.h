#pragma once

#include <string>

#include "apps/common/cli.h"
#include "apps/common/signals.h"

namespace plumb {

/// The path of this program, for running it again. Throws IoError where the system does not tell.
std::string own_program();

/// Runs a program with these words, waits for it, and returns its exit code; 128 + N when signal N ended it. It shares
/// this process' output. It has a process group of its own, so that Ctrl-C reaches it once: a signal that `stop` has
/// caught is passed on, and the child's end is waited for. May be called from several threads.
/// Throws IoError naming the program when it cannot be started.
int run_child(const std::string& program, const Arguments& words, const StopOnSignal& stop);

}  // namespace plumb
