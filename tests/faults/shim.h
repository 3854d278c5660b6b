#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace plumb::test {

/// A call to the C library that a program's files pass through. Linking shim.cpp into a test puts it between the
/// program (and libstdc++) and the C library; it lets everything through until a FaultInjection lives.
enum class IoKind { open, read, write, truncate, sync, close, rename, remove, make_folder, map, list, status, lock };

const char* name_of(IoKind kind);

struct IoCall {
  IoKind kind = IoKind::open;
  std::string path = {};
  std::string to = {};     ///< of a rename
  int64_t offset = 0;      ///< of a write; the new size of a truncate
  std::string bytes = {};  ///< that a write wrote
  bool creates = false;    ///< an open that may make a file
  bool folder = false;     ///< an open of a folder
  bool done = true;        ///< it did what was asked
};

enum class Fault {
  none,
  error,      ///< the call is not made and reports FaultPlan::error
  half,       ///< a read or write does half of what it was asked
  kill,       ///< SIGKILL instead of the call
  torn_kill,  ///< SIGKILL after half of a write; as kill for other calls
};

struct FaultPlan {
  std::string folder;  ///< only calls on paths in here count and fail
  int64_t at = -1;     ///< the number, from 0, of the call that goes wrong
  Fault fault = Fault::none;
  int error = 0;        ///< errno
  int64_t space = -1;   ///< bytes that writes find room for before ENOSPC; -1: no end of it
  bool record = false;  ///< keep all calls
};

/// Applies a plan while it lives. One at a time; a fork inherits it.
class FaultInjection {
 public:
  explicit FaultInjection(const FaultPlan& plan);
  FaultInjection(const FaultInjection&) = delete;
  FaultInjection& operator=(const FaultInjection&) = delete;
  ~FaultInjection();

  int64_t calls() const;  ///< so far
  bool hit() const;       ///< whether the fault has happened
  std::vector<IoCall> recorded() const;
};

}  // namespace plumb::test
