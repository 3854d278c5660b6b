#include "apps/toy2d/toy2d.h"

#include <chrono>
#include <cstdio>

#include "apps/common/globals.h"
#include "apps/common/output_dir.h"
#include "apps/common/signals.h"
#include "apps/toy2d/claims.h"
#include "apps/toy2d/experiment.h"
#include "apps/toy2d/figures.h"
#include "apps/toy2d/report.h"
#include "apps/toy2d/settings.h"
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

/// Everything but the pictures.
void write_files(const OutputDir& out, const Settings& settings, const std::vector<Method>& methods,
                 const Results& results, const std::vector<RowSummary>& rows, const std::vector<Claim>& claims) {
  write_file_atomic(out / "log.jsonl", log_text(results));
  write_samples(out / "samples.safetensors", results);
  write_file_atomic(out / "metrics.json", metrics_json(settings, methods, results, rows, claims).dump(1) + '\n');
}

void print_summary(const Settings& settings, const std::vector<RowSummary>& rows, const std::vector<Claim>& claims,
                   double seconds) {
  std::printf("%s\n%s\n%.*s\n", format_table(rows).c_str(), format_claims(claims).c_str(), int(caveats().size()),
              caveats().data());
  std::printf("%lld seed%s in %.1f s; figures, samples and metrics.json are in %s\n", (long long)settings.seeds,
              settings.seeds == 1 ? "" : "s", seconds, settings.global.out.c_str());
}

}  // namespace

int run_toy2d(const Arguments& arguments) {
  Settings settings;
  Flags flags("toy2d", "the 2D experiment: reference on noisy data, preference pairs, every objective, table, figures");
  add_flags(flags, settings);
  if (!flags.parse(arguments)) return kExitDone;
  apply_globals(settings.global);
  apply_quick(settings, flags);
  if (flags.given("--seed") && !flags.given("--first_seed")) settings.first_seed = settings.global.seed;
  const std::vector<Method> methods = choose_methods(settings.methods, settings.set);
  for (const std::string& sampler : settings.samplers) parse_sampler(sampler, settings.schedule);
  OutputDir out(settings.global.out);
  write_config(out / "config.toml", "toy2d", flags.resolved());

  const auto start = std::chrono::steady_clock::now();
  const StopOnSignal stop;
  const Results results = run_experiment(settings, methods, stop);
  if (results.interrupted) return stop.exit_code();
  const std::vector<RowSummary> rows = summarize(results);
  const std::vector<Claim> claims = judge_claims(rows, settings);
  write_files(out, settings, methods, results, rows, claims);
  draw_figures(out.path(), settings, methods, results);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (!settings.global.quiet) print_summary(settings, rows, claims, seconds.count());
  return kExitDone;
}

}  // namespace plumb
