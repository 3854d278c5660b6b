#pragma once

#include <optional>
#include <string>

#include "engine/io/json.h"
#include "engine/profile/memory_timeline.h"
#include "engine/profile/roofline.h"
#include "engine/profile/summary.h"

namespace plumb::trace {

/// The first op that made a NaN or an infinity.
struct FirstNonFinite {
  int64_t step = 0;
  std::string op;      ///< path: "backward / d mse / mse_backward"
  std::string shapes;  ///< of its inputs and its output
  int64_t element = 0;
  double value = 0;
  bool inputs_finite = true;
};

/// Everything a trace found. `profile` is that of the fastest of `steps` steps.
struct Trace {
  std::string network = {}, loss = {}, part = {};
  int64_t parameters = 0, batch = 0, steps = 1;
  double untraced_step_s = 0;  ///< the fastest step without the profiler
  Roofline roofline = {};
  Profile profile = {};
  MemoryTimeline memory = {};
  int64_t peak_rss = 0;  ///< of the process
  bool finite = true;    ///< losses and gradient norms
  bool searched = false;
  std::optional<FirstNonFinite> non_finite = {};
};

/// As `--json` prints it: machine, totals, ops, calls (a row a name and shapes), memory, non_finite.
Json trace_json(const Trace& trace);
/// As tables; at most `rows` lines each.
std::string trace_text(const Trace& trace, int64_t rows);

}  // namespace plumb::trace
