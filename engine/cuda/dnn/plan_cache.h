#pragma once

#include <filesystem>
#include <string>

#include "engine/cuda/dnn/plan.h"

// Internal to engine/cuda/dnn.

namespace plumb::dnn {

/// Plans kept on disk, so that the next run neither times engines nor compiles code again: a file a problem, in a
/// folder for the version of cuDNN and the device. $PLUMB_PLAN_CACHE names the place ("" or "off": none), else it is
/// $XDG_CACHE_HOME/plumb/plans, else ~/.cache/plumb/plans. Deleting it costs time only. A file that cannot be read, or
/// that cuDNN refuses, is passed over with one line on stderr; one that cannot be written stays unwritten.
class PlanFolder {
 public:
  explicit PlanFolder(const Target& target);
  /// For tests. Empty: no folder.
  explicit PlanFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Not good when there is none.
  Plan load(const Target& target, const std::string& problem) const;
  void store(const std::string& problem, const Plan& plan) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace plumb::dnn
