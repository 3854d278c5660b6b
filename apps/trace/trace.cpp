// Three passes over the same steps: once without the profiler for its time, once with it, and, when a loss or gradient
// is not finite or --find_nan asks for it, once more from the start with every output searched.

#include "apps/trace/trace.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "apps/common/globals.h"
#include "apps/common/memory_report.h"
#include "apps/common/output_dir.h"
#include "apps/common/plot/save.h"
#include "apps/trace/memory_figure.h"
#include "apps/trace/report.h"
#include "apps/trace/step.h"
#include "engine/format.h"
#include "engine/io/file.h"
#include "engine/profile/chrome_trace.h"
#include "engine/profile/profiler.h"
#include "engine/require.h"

namespace plumb {
namespace {

using trace::Part;
using trace::Trace;
using trace::TracedStep;

struct Settings {
  GlobalFlags global{.out = "runs/trace"};
  trace::StepSettings step = {};
  bool forward_only = false, no_optimizer = false, find_nan = false;
  int64_t steps = 10, warmup = 2, rows = 12;
};

void add_flags(Flags& flags, Settings& s) {
  std::string names;
  for (const trace::NetworkEntry& entry : trace::network_table())
    names += fmt::format("{}{}: {}", names.empty() ? "" : "; ", entry.name, entry.summary);
  flags.add("--network", s.step.network, names).shown_as("NAME");
  flags.add("--batch", s.step.batch, "samples, or pairs of an objective; 0: the network's own", between(0, 1'000'000));
  flags.add("--steps", s.steps, "steps traced; the fastest is shown", between(1, 10000));
  flags.add("--warmup", s.warmup, "steps before", between(0, 10000));
  flags.add("--forward", s.forward_only, "the forward pass alone, without a graph");
  flags.add("--backward", s.no_optimizer, "forward and backward, without the optimiser");
  flags.add("--objective", s.step.loss, "denoising, or one of plumb objective --list").shown_as("NAME");
  flags.add("--set", s.step.set, "option of the objective; repeatable").advanced();
  flags.add("--rows", s.rows, "lines of each table", between(1, 10000));
  flags.add("--find_nan", s.find_nan, "search every output for NaN and infinity, even if the loss is finite");
  flags.add("--model", s.step.sizes.model, "a trained model of points instead of a new one").shown_as("FOLDER");
  flags
      .add("--hidden", s.step.sizes.hidden, "features of a hidden layer; channels of the first level",
           between(1, 65536))
      .advanced();
  flags.add("--hidden_layers", s.step.sizes.hidden_layers, "hidden layers; blocks a level", between(1, 1024))
      .advanced();
  flags.add("--gradient_checkpointing", s.step.sizes.checkpointing, "compute a block's activations again in backward")
      .advanced();
  flags.add("--side", s.step.sizes.side, "of a picture", between(1, 65536)).advanced();
  flags.add("--learning_rate", s.step.learning_rate, "of AdamW", positive()).advanced();
  flags.add_global(s.global);
  flags.example("plumb trace --network toy --threads 1 --out runs/trace");
}

double seconds_of(TracedStep& step, int64_t number) {
  const auto begin = std::chrono::steady_clock::now();
  step.run(number);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Runs steps [0, last] anew and searches each; the weights reach the first bad step as they did before.
void search(const Settings& s, int64_t last, Trace& found) {
  TracedStep step(s.step);
  found.searched = true;
  for (int64_t number = 0; number <= last; ++number) {
    Profiler profiler({.memory = false, .find_non_finite = true, .device = s.step.device});
    step.run(number);
    const Profile profile = profiler.stop();
    const NonFinite& first = profile.non_finite;
    if (first.event < 0) continue;
    found.non_finite = {number,
                        path_of(profile, first.event),
                        shapes_of(profile.events[size_t(first.event)]),
                        first.element,
                        first.value,
                        first.inputs_finite};
    return;
  }
}

Trace make_trace(const Settings& s) {
  TracedStep step(s.step);
  Trace trace{.network = s.step.network,
              .loss = s.step.loss,
              .part = s.forward_only   ? "forward"
                      : s.no_optimizer ? "forward and backward"
                                       : "training step",
              .parameters = step.parameter_count(),
              .batch = step.batch(),
              .steps = s.steps};
  trace.roofline = measure_roofline();
  int64_t number = 0;
  for (; number < s.warmup; ++number) trace.finite = step.run(number) && trace.finite;
  trace.untraced_step_s = 1e30;
  for (int64_t i = 0; i < s.steps; ++i)
    trace.untraced_step_s = std::min(trace.untraced_step_s, seconds_of(step, number++));
  for (int64_t i = 0; i < s.steps; ++i) {
    Profiler profiler({.device = s.step.device});
    trace.finite = step.run(number++) && trace.finite;
    Profile profile = profiler.stop();
    if (i == 0 || profile.duration_ns < trace.profile.duration_ns) trace.profile = std::move(profile);
  }
  trace.memory = memory_timeline(trace.profile);
  trace.peak_rss = peak_process_bytes();
  if (!trace.finite || s.find_nan) search(s, number - 1, trace);
  return trace;
}

}  // namespace

int run_trace(const Arguments& arguments) {
  Settings s;
  Flags flags("trace", "where a training step spends its time and memory, op by op");
  add_flags(flags, s);
  if (!flags.parse(arguments)) return kExitDone;
  s.step.device = apply_globals(s.global, RunsOn::cpu_and_cuda);
  require<UsageError>(!(s.forward_only && s.no_optimizer), "trace: --forward and --backward exclude each other");
  trace::find_network(s.step.network);
  trace::check_loss(s.step);
  s.step.part = s.forward_only ? Part::forward : s.no_optimizer ? Part::backward : Part::step;
  s.step.seed = s.global.seed;
  const OutputDir out(s.global.out);

  const Trace trace = make_trace(s);
  write_file_atomic(out / "trace.json", chrome_trace(trace.profile, trace.roofline));
  write_file_atomic(out / "memory.csv", memory_csv(trace.profile, trace.memory));
  plot::save(trace::memory_figure(trace.profile, trace.memory, s.step.network + ": memory of tensors"), out / "memory");
  const Json json = trace_json(trace);
  write_file_atomic(out / "ops.json", json.dump(2) + "\n");
  if (s.global.json) {
    std::printf("%s\n", json.dump().c_str());
  } else if (!s.global.quiet) {
    if (s.step.device.is_cuda())
      std::printf("on %s every traced op is waited for, and the roofline below is the CPU's\n",
                  s.global.device.c_str());
    std::fputs(trace_text(trace, s.rows).c_str(), stdout);
    for (const char* name : {"trace.json", "ops.json", "memory.csv", "memory.svg"})
      std::printf("%s\n", (out / name).c_str());
  }
  return kExitDone;
}

}  // namespace plumb
