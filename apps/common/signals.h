#pragma once

namespace plumb {

/// While one of these lives, SIGINT and SIGTERM only raise a flag, which a run polls between steps; a second signal
/// exits the process at once with the signal's code. The handlers before are put back at the end.
///
///   StopOnSignal stop;
///   while (step < steps && !stop.requested()) ...
///   save();
///   return stop.requested() ? stop.exit_code() : kExitDone;
///
/// There may be one at a time (ValueError otherwise).
class StopOnSignal {
 public:
  StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;
  ~StopOnSignal();

  bool requested() const;
  /// 130 after SIGINT, 143 after SIGTERM, 0 before either.
  int exit_code() const;
};

}  // namespace plumb
