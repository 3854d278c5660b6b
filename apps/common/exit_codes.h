#pragma once

#include "engine/error.h"

namespace plumb {

/// What a program's exit status means. A stop by signal is kept apart so that a scheduler can tell it from a failure.
enum ExitCode : int {
  kExitDone = 0,
  kExitFailure = 1,      // something went wrong while running: memory, a full disk
  kExitUsage = 2,        // bad flags, bad settings, bad input, or an output that cannot be written
  kExitUnhealthy = 3,    // a health rule (collapse, NaN) stopped the run
  kExitInterrupt = 130,  // SIGINT, after saving
  kExitTerminate = 143,  // SIGTERM, after saving
};

/// A command line, a configuration or an input that cannot be used: the program says why and exits with kExitUsage.
/// The message is one line of the form "WHAT (WHERE); FIX".
struct UsageError : Error {
  using Error::Error;
};

/// A health rule stopped the run (exit code kExitUnhealthy).
struct UnhealthyError : Error {
  using Error::Error;
};

}  // namespace plumb
