#pragma once

#include <string>

namespace plumb {

/// Turns the exception in flight into an exit code and prints its one line, "plumb: error: WHAT", on standard error.
/// UsageError, ShapeError, DTypeError, DeviceError, ValueError, IndexError and IoError (bad input, or an output that
/// cannot be written) give kExitUsage, UnhealthyError and NumericError kExitUnhealthy, anything else (SystemError: a
/// full disk) kExitFailure. Call it only inside a catch block.
int report_exception();

/// The message as one line: line breaks and other control characters become spaces.
std::string one_line(const std::string& message);

/// Runs a verb; no exception leaves it.
template <class Run>
int run_guarded(Run&& run) {
  try {
    return run();
  } catch (...) {
    return report_exception();
  }
}

}  // namespace plumb
