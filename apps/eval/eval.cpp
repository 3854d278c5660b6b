#include "apps/eval/eval.h"

#include <cstdio>

#include "align/eval/score_summary.h"
#include "apps/common/globals.h"
#include "apps/common/output_dir.h"
#include "apps/eval/pictures.h"
#include "apps/eval/preference.h"
#include "apps/eval/score_report.h"
#include "engine/io/file.h"
#include "engine/require.h"

namespace plumb {
namespace {

struct Settings {
  GlobalFlags global{.out = "runs/eval"};
  std::vector<std::string> scores = {}, against = {}, fields = {};
  bool common_only = false;
  BootstrapOptions bootstrap = {};
  PictureEvalSettings pictures = {};
  PreferenceEvalSettings preference = {};
};

void add_flags(Flags& flags, Settings& s) {
  flags.add("--scores", s.scores, "score file; several are runs of one method").shown_as("FILE").whole();
  flags.add("--against", s.against, "score file(s) to compare with, by prompt and seed").shown_as("FILE").whole();
  flags.add("--fields", s.fields, "numbers to average, comma separated; all unless given");
  flags.add("--common_only", s.common_only, "passes over pictures that one side lacks");
  flags.add("--images", s.pictures.images, "pictures to judge by features").shown_as("DIR");
  flags.add("--real", s.pictures.real, "pictures to measure their distance from").shown_as("DIR");
  flags.add("--features", s.pictures.features, "feature network; plumb shapes features, or CLIP").shown_as("FOLDER");
  flags.add("--num_samples", s.pictures.num_samples, "pictures of each folder; unless given, the smaller's",
            at_least(2));
  flags.add("--model", s.preference.model, "model of pictures whose preferences are tested").shown_as("FOLDER");
  flags.add("--reference", s.preference.reference, "model that its errors are compared with").shown_as("FOLDER");
  flags.add("--pairs", s.preference.pairs, "held-out winners and losers").shown_as("DIR");
  flags.add("--bootstrap", s.bootstrap.resamples, "resamples of an interval", at_least(1));
  flags.add("--confidence", s.bootstrap.confidence, "of the intervals",
            Constraint{.low = 0, .high = 1, .low_open = true, .high_open = true});
  flags.add("--kid_subsets", s.pictures.kernel_subsets, "subsets of a kernel distance", at_least(1)).advanced();
  flags.add("--kid_subset_size", s.pictures.kernel_subset_size, "pictures a subset, at most; 1000 or half", at_least(2))
      .advanced();
  flags.add("--splits", s.pictures.splits, "of an Inception-style score", at_least(1)).advanced();
  flags.add("--bins", s.preference.bins, "intervals of t", at_least(1)).advanced();
  flags.add("--timesteps", s.preference.timesteps, "looked at in each of them", at_least(1)).advanced();
  flags.add("--num_pairs", s.preference.num_pairs, "the first pairs; all unless given", at_least(1)).advanced();
  flags.add("--resolution", s.preference.resolution, "of pairs; the model's unless given", at_least(1)).advanced();
  flags.add("--batch_size", s.pictures.batch_size, "pictures or pairs at once", at_least(1)).advanced();
  flags.add_global(s.global);
  flags.example("plumb eval --scores runs/ddspo/scores.jsonl --against runs/reference/scores.jsonl --out runs/eval");
}

std::vector<ScoreFile> read_all(const std::vector<std::string>& paths, const std::vector<std::string>& fields) {
  std::vector<ScoreFile> files;
  for (const std::string& path : paths) files.push_back(read_scores(path, fields));
  return files;
}

/// Writes "scores", "against" and "comparison" and returns the table.
std::string evaluate_scores(const Settings& s, Json& metrics) {
  const RandomKey key = RandomKey{.seed = uint64_t(s.global.seed)}.fork("bootstrap");
  const std::vector<ScoreFile> ours = read_all(s.scores, s.fields);
  const std::vector<ScoreFile> theirs = read_all(s.against, ours.front().fields);
  const ScoreSummary summary = summarize_scores(ours, s.bootstrap, key);
  metrics.set("scores", scores_json(summary, ours));
  if (theirs.empty()) return format_scores(summary);
  const ScoreSummary other = summarize_scores(theirs, s.bootstrap, key);
  const ScoreComparison comparison = compare_scores(ours, theirs, s.common_only, s.bootstrap, key);
  metrics.set("against", scores_json(other, theirs)).set("comparison", comparison_json(comparison));
  return format_scores(summary, &other, &comparison);
}

void check(const Settings& s) {
  const PictureEvalSettings& p = s.pictures;
  require<UsageError>(
      !s.scores.empty() || !p.images.empty() || !s.preference.pairs.empty(),
      "eval: --scores must name a file (plumb shapes score writes it), or --images or --pairs a folder");
  require<UsageError>(s.against.empty() || !s.scores.empty(), "eval: --against needs --scores");
  require<UsageError>(p.images.empty() == p.features.empty(), "eval: --images and --features go together");
  require<UsageError>(s.preference.pairs.empty() == s.preference.model.empty(),
                      "eval: --pairs and --model go together");
  require<UsageError>(s.preference.reference.empty() || !s.preference.model.empty(), "eval: --reference needs --model");
  require<UsageError>(p.real.empty() || !p.images.empty(), "eval: --real needs --images");
}

/// What the parts share.
void complete(Settings& s, Device device) {
  s.pictures.seed = s.preference.seed = s.global.seed;
  s.preference.batch_size = s.pictures.batch_size;
  s.preference.bootstrap = s.bootstrap;
  s.preference.device = device;
  s.preference.quiet = s.global.quiet;
}

void append_table(std::string& text, const std::string& table) {
  if (!text.empty()) text += '\n';
  text += table;
}

}  // namespace

int run_eval(const Arguments& arguments) {
  Settings settings;
  Flags flags("eval", "scores with intervals, two runs picture by picture, distances, held-out preferences");
  add_flags(flags, settings);
  if (!flags.parse(arguments)) return kExitDone;
  const Device device = apply_globals(settings.global, RunsOn::cpu_and_cuda);
  check(settings);
  complete(settings, device);
  Json metrics = Json::object().set("format", "plumb-eval").set("version", 1);
  metrics.set("bootstrap", Json::object()
                               .set("resamples", settings.bootstrap.resamples)
                               .set("confidence", settings.bootstrap.confidence)
                               .set("seed", settings.global.seed));
  std::string table = settings.scores.empty() ? "" : evaluate_scores(settings, metrics);
  std::optional<PreferenceEval> preference;
  if (!settings.preference.pairs.empty()) preference.emplace(settings.preference);
  if (!settings.pictures.images.empty()) {
    metrics.set("images", evaluate_pictures(settings.pictures));
    append_table(table, format_pictures(metrics.at("images")));
  }
  const OutputDir out(settings.global.out);
  if (preference) {
    metrics.set("preference", preference->measure(out / "cache"));
    append_table(table, format_preference(metrics.at("preference")));
  }
  write_config(out / "config.toml", "eval", flags.resolved());
  write_file_atomic(out / "metrics.json", metrics.dump(1) + '\n');
  const std::string text = settings.global.json ? metrics.dump(1) + '\n' : table;
  if (!settings.global.quiet) std::fputs(text.c_str(), stdout);
  return kExitDone;
}

}  // namespace plumb
