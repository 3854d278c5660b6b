#include "apps/shapes/study/study.h"

#include <cstdio>

#include "apps/common/child_process.h"
#include "apps/common/config.h"
#include "apps/common/globals.h"
#include "apps/common/run_log.h"
#include "apps/shapes/study/report.h"
#include "engine/format.h"
#include "engine/io/file.h"
#include "engine/parallel.h"
#include "engine/require.h"

namespace plumb {
namespace {

using namespace study;

/// Commands of one thread each use the cores of a CPU better than one command of all of them; a GPU is shared badly.
StagesOptions stages_options(const Recipe& recipe, Device device) {
  StagesOptions options{.program = own_program(), .threads = num_threads(), .quiet = recipe.global.quiet};
  options.words = {"--quiet", "--device", recipe.global.device};
  if (recipe.global.deterministic) options.words.push_back("--deterministic");
  options.jobs = recipe.jobs > 0 ? recipe.jobs : device.is_cpu() ? options.threads : 1;
  return options;
}

}  // namespace

int run_shapes_study(const Arguments& arguments) {
  Recipe recipe;
  Flags flags("shapes study", "alignment of a small model of captioned shapes: every row of the table, controls");
  add_flags(flags, recipe);
  if (!flags.parse(arguments)) return kExitDone;
  check(recipe);
  const std::vector<Row> rows = choose_rows(recipe.rows);
  for (const Row& row : rows)
    require<UsageError>(
        row.data != "labelled" || recipe.clean != "none",
        "study: the preferences of row {} are drawn from the model of true captions, too (--clean none); "
        "give one, or leave --clean out",
        row.name);
  const Device device = apply_globals(recipe.global, RunsOn::cpu_and_cuda);
  const OutputDir out(recipe.global.out);
  write_config(out / "config.toml", "shapes study", flags.resolved());
  Stages stages(out, stages_options(recipe, device));
  try {
    const Models models = make_models(stages, recipe);
    const Prompts prompts = make_prompts(stages, recipe);
    make_pairs(stages, recipe, models, prompts, rows);
    stages.run_alone(false);
    const Results results = run_rows(stages, recipe, models, prompts, rows);
    const RandomKey key = RandomKey{.seed = uint64_t(recipe.global.seed)}.fork("study");
    Json metrics = report_json(recipe, results, key);
    write_metrics(out / "metrics.json", metrics.set("seconds", stages.seconds()));
    const std::string report = format_report(results, key);
    write_file_atomic(out / "report.txt", report);
    draw_guidance(out, results);
    if (!recipe.global.quiet)
      std::printf("%s\n%.0f s of work; %s holds metrics.json, report.txt and every command in stages.jsonl\n",
                  report.c_str(), stages.seconds(), recipe.global.out.c_str());
  } catch (const StageStopped& stopped) {
    return stopped.code;
  }
  return kExitDone;
}

}  // namespace plumb
