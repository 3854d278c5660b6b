#pragma once

#include <cerrno>
#include <span>
#include <string>
#include <vector>

#include "tests/faults/shim.h"

namespace plumb::test {

/// A way for a single call to fail.
struct Failure {
  const char* name;
  Fault fault;
  int error;
  bool harmless;  ///< the caller repeats the call, and nothing else may be different
};

inline constexpr Failure kFailures[] = {
    {"EIO", Fault::error, EIO, false},       {"ENOSPC", Fault::error, ENOSPC, false},
    {"EMFILE", Fault::error, EMFILE, false}, {"EINTR", Fault::error, EINTR, true},
    {"half", Fault::half, 0, true},
};

/// Whether the system ever fails such a call so.
inline bool can_fail(const IoCall& call, const Failure& failure) {
  const bool moves = call.kind == IoKind::read || call.kind == IoKind::write;
  if (failure.fault == Fault::half) return moves;
  switch (failure.error) {
    case ENOSPC:
      return call.kind == IoKind::write || call.kind == IoKind::sync || call.kind == IoKind::rename ||
             call.kind == IoKind::make_folder || (call.kind == IoKind::open && call.creates);
    case EMFILE:
      return call.kind == IoKind::open;
    case EINTR:
      return moves || (call.kind == IoKind::open && !call.folder) || call.kind == IoKind::sync ||
             call.kind == IoKind::lock;
    default:
      return true;
  }
}

}  // namespace plumb::test
