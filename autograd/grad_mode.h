#pragma once

#include "engine/parallel.h"

namespace plumb {

namespace detail {
// Bits of TaskContext::flags: copied into pool tasks with the rest of it.
inline constexpr uint64_t kGradOff = 1;
inline constexpr uint64_t kAnomaly = 2;
}  // namespace detail

/// Whether ops on Variables are recorded on this thread. True unless a NoGrad is alive.
inline bool grad_enabled() { return !(task_context().flags & detail::kGradOff); }

/// Whether every recorded value and every gradient is searched for NaN (see AnomalyMode).
inline bool anomaly_enabled() { return task_context().flags & detail::kAnomaly; }

namespace detail {
/// Sets or clears bits of this thread's flags and puts the old ones back at the end of the scope.
class FlagScope {
 public:
  FlagScope(uint64_t set, uint64_t clear) : before_(task_context().flags) {
    task_context().flags = (before_ | set) & ~clear;
  }
  ~FlagScope() { task_context().flags = before_; }
  FlagScope(const FlagScope&) = delete;
  FlagScope& operator=(const FlagScope&) = delete;

 private:
  uint64_t before_;
};
}  // namespace detail

/// While alive, ops on Variables on this thread return constants: nothing is recorded, nothing saved.
class NoGrad : detail::FlagScope {
 public:
  NoGrad() : FlagScope(detail::kGradOff, 0) {}
};

/// Undoes an enclosing NoGrad (recomputation in checkpoint uses it).
class EnableGrad : detail::FlagScope {
 public:
  EnableGrad() : FlagScope(0, detail::kGradOff) {}
};

/// While alive, the first op whose value, or whose gradient, holds a NaN throws NumericError naming the op. Slow.
class AnomalyMode : detail::FlagScope {
 public:
  AnomalyMode() : FlagScope(detail::kAnomaly, 0) {}
};

}  // namespace plumb
