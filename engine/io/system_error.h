#pragma once

#include "engine/error.h"

namespace plumb {

/// The system could not do what it was rightly asked: the disk is full or broken, too many files are open, memory is
/// short. Another time, or on another machine, the same call may succeed (programs exit with 1); any other IoError is
/// about what was asked for (2).
struct SystemError : IoError {
  using IoError::IoError;
};

/// Throws SystemError when the errno value `code` says so, else IoError.
[[noreturn]] void raise_io_error(int code, const std::string& message);

}  // namespace plumb
