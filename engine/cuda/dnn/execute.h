#pragma once

#include <span>

#include "engine/backend.h"

#include "engine/cuda/dnn/plan.h"

// Internal to engine/cuda/dnn.

namespace plumb::dnn {

/// Where an array of a graph is; a number's address is on the CPU.
struct Address {
  Role role;
  const void* data;
};

/// cuDNN on a device.
struct Session {
  Target target;
  void* stream = nullptr;
};

/// Of cuda's device, set to its stream. Call with the lock that `execute` needs.
Session& session_of(const char* op, const Cuda& cuda);

/// Runs a plan. Not for two threads at once on one session.
void execute(const char* op, const Cuda& cuda, const Plan& plan, std::span<const Address> addresses);

/// The fastest of the plans on these arrays, which it writes several times: the least of three timed runs each.
size_t fastest(const char* op, const Cuda& cuda, std::span<const Plan> plans, std::span<const Address> addresses);

/// Whether work on the stream is being recorded and not run, so that nothing can be timed.
bool is_recording(const Cuda& cuda);

}  // namespace plumb::dnn
