#pragma once

#include "engine/device.h"
#include "engine/profile/op_scope.h"
#include "engine/profile/profile.h"

namespace plumb {

struct ProfilerOptions {
  bool memory = true;            ///< record every allocation and release
  bool find_non_finite = false;  ///< search every output for NaN and infinity (slow: for a step of its own)
  /// Whose work and memory are watched. Of a CUDA device every op is waited for at its end, so that its time is the
  /// device's and not that of asking for it.
  Device device = kCpu;
};

/// Records every op, backward node, range and allocation of all threads while alive. One at a time. What the ops
/// compute does not change.
///
///   Profiler profiler;
///   { ProfileRange range("forward"); loss = network.loss(batch); }
///   const Profile profile = profiler.stop();
///
/// An op costs about 0.2 us more while one is alive, and nothing measurable otherwise.
class Profiler {
 public:
  /// Throws Error when another one is alive.
  explicit Profiler(const ProfilerOptions& options = {});
  ~Profiler();
  Profiler(const Profiler&) = delete;
  Profiler& operator=(const Profiler&) = delete;

  /// Ends the recording and hands it over. To be called once, when no op is running.
  Profile stop();

 private:
  bool stopped_ = false;
};

}  // namespace plumb
