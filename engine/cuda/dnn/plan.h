#pragma once

#include <string>
#include <vector>

#include "engine/cuda/dnn/graph.h"

// Internal to engine/cuda/dnn.

namespace plumb::dnn {

/// The most memory a plan may work in.
inline constexpr int64_t kMostWorkspace = int64_t(1) << 30;

/// A graph made ready for a device: an engine, its settings and the memory it works in.
struct Plan {
  Descriptor descriptor;
  int64_t workspace = 0;
  bool deterministic = true;
};

/// Which plans count.
struct PlanRules {
  bool deterministic = false;
  bool full_f32 = false;  ///< neither tensor cores nor inputs made smaller: errors of f32, not of tf32
  size_t most = 1;  ///< as many, in the order of the heuristic; each that compiles code at run time takes a second
};

/// The first plans of the heuristic's (mode A, then its fallback) that obey the rules and can be built; `why_none`
/// tells what the last one failed of, one line.
std::vector<Plan> make_plans(const Target& target, Graph& graph, const PlanRules& rules, std::string* why_none);

/// A plan as text, with the code that was compiled for it: it loads in a millisecond.
std::string to_text(const Plan& plan);
/// Not good (descriptor.is_good()) when cuDNN does not take the text for this device.
Plan plan_from_text(const Target& target, const std::string& text);

}  // namespace plumb::dnn
