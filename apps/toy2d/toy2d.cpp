#include "apps/toy2d/toy2d.h"

#include <chrono>
#include <cstdio>
#include <optional>

#include "apps/common/globals.h"
#include "apps/common/memory_report.h"
#include "apps/common/output_dir.h"
#include "apps/common/signals.h"
#include "apps/toy2d/claims/claims.h"
#include "apps/toy2d/experiment.h"
#include "apps/toy2d/figures.h"
#include "apps/toy2d/report.h"
#include "apps/toy2d/settings.h"
#include "apps/toy2d/study/figures.h"
#include "apps/toy2d/study/search.h"
#include "apps/toy2d/study/study.h"
#include "engine/format.h"
#include "engine/io/file.h"

namespace plumb {
namespace {

using namespace toy2d;

std::string log_text(const Results& results) {
  std::string text;
  for (const LogLine& line : results.log) text += log_json(line).dump() + '\n';
  return text;
}

/// What a run found.
struct Findings2d {
  Results results = {};
  std::optional<StudyReport> study = {};
  std::vector<RowSummary> rows = {};
  std::vector<Claim> claims = {};
};

/// Everything but the pictures.
void write_files(const OutputDir& out, const Settings& settings, const std::vector<Method>& methods,
                 const Findings2d& found) {
  write_file_atomic(out / "log.jsonl", log_text(found.results));
  write_samples(out / "samples.safetensors", found.results);
  const Json metrics =
      metrics_json(settings, methods, found.results, found.rows, found.claims, found.study ? &*found.study : nullptr);
  write_file_atomic(out / "metrics.json", metrics.dump(1) + '\n');
}

void print_summary(const Settings& settings, const Findings2d& found, double seconds) {
  std::printf("%s\n%s%s\n%.*s\n", format_table(found.rows).c_str(),
              found.study ? format_study(*found.study).c_str() : "", format_claims(found.claims).c_str(),
              int(caveats().size()), caveats().data());
  std::printf("%lld seed%s in %.1f s, %s; figures, samples and metrics.json are in %s\n", (long long)settings.seeds,
              settings.seeds == 1 ? "" : "s", seconds, memory_line(settings.device).c_str(),
              settings.global.out.c_str());
}

/// Returns the exit code.
int run_search(const Settings& settings, const std::vector<Method>& methods, const OutputDir& out) {
  const std::vector<StudyRun> runs = search_runs(settings, methods);
  SearchLog log(out / "search.jsonl");
  const StopOnSignal stop;
  if (!search(settings, runs, log, stop)) return stop.exit_code();
  std::printf("%s", format_selected(select_best(settings, runs, log)).c_str());
  return kExitDone;
}

}  // namespace

int run_toy2d(const Arguments& arguments) {
  Settings settings;
  Flags flags("toy2d", "the 2D experiment: reference on noisy data, preference pairs, every objective, table, figures");
  add_flags(flags, settings);
  if (!flags.parse(arguments)) return kExitDone;
  settings.device = apply_globals(settings.global, RunsOn::cpu_and_cuda);
  apply_quick(settings, flags);
  check_lists(settings);
  if (flags.given("--seed") && !flags.given("--first_seed")) settings.first_seed = settings.global.seed;
  const std::vector<Method> methods = choose_methods(settings.methods, settings.set);
  for (const std::string& sampler : settings.samplers) parse_sampler(sampler, settings.schedule);
  OutputDir out(settings.global.out);
  write_config(out / "config.toml", "toy2d", flags.resolved());

  if (settings.search) return run_search(settings, methods, out);
  const auto start = std::chrono::steady_clock::now();
  const StopOnSignal stop;
  Findings2d found;
  found.results = run_experiment(settings, methods, stop);
  if (!found.results.interrupted && wants_study(settings)) found.study = study(settings, methods, found.results, stop);
  if (stop.requested()) return stop.exit_code();
  found.rows = summarize(found.results);
  found.claims = judge_claims(found.rows, settings, found.study ? &*found.study : nullptr);
  write_files(out, settings, methods, found);
  for (const auto& reference : found.results.references) to_device(*reference, kCpu);
  for (const auto& [name, student] : found.results.students) to_device(*student, kCpu);
  draw_figures(out.path(), settings, methods, found.results);
  if (found.study) draw_study(out.path(), settings, *found.study);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (!settings.global.quiet) print_summary(settings, found, seconds.count());
  return kExitDone;
}

}  // namespace plumb
