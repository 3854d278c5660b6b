#include "align/worlds/shapes/score.h"

#include <cstdio>
#include <map>

#include "apps/common/globals.h"
#include "apps/common/output_dir.h"
#include "apps/shapes/actions.h"
#include "apps/shapes/shots.h"
#include "engine/format.h"
#include "engine/io/file.h"

namespace plumb::shapes {
namespace {

/// Sums over the pictures of one category, or all.
struct Row {
  int64_t pictures = 0, correct = 0, found = 0, unreadable = 0;
  double partial = 0, residual = 0, quality = 0;

  void add(const Score& s) {
    ++pictures;
    correct += s.correct;
    found += s.found;
    unreadable += s.unreadable;
    partial += s.partial;
    residual += s.residual;
    quality += s.quality;
  }
  double mean(double sum) const { return sum / double(pictures); }
};

std::string format_row(std::string_view name, const Row& row) {
  return fmt::format("{:<18}{:>9}{:>9.3f}{:>9.3f}{:>8.3f}{:>12.3f}{:>10.4f}{:>9.3f}\n", name, row.pictures,
                     row.mean(double(row.correct)), row.mean(row.partial), row.mean(double(row.found)),
                     row.mean(double(row.unreadable)), row.mean(row.residual), row.mean(row.quality));
}

Json json_of(const Row& row) {
  Json json = Json::object();
  json.set("pictures", row.pictures)
      .set("correct", row.mean(double(row.correct)))
      .set("partial", row.mean(row.partial));
  json.set("found", row.mean(double(row.found))).set("unreadable", row.mean(double(row.unreadable)));
  return json.set("residual", row.mean(row.residual)).set("quality", row.mean(row.quality));
}

std::string line_of(const Shot& shot) {
  const Score& s = shot.score;
  Json json = Json::object();
  json.set("file", shot.file).set("prompt", shot.prompt).set("seed", shot.seed).set("category", name_of(s.category));
  json.set("correct", s.correct).set("partial", s.partial).set("found", s.found).set("unreadable", s.unreadable);
  json.set("residual", s.residual).set("quality", s.quality).set("reading", to_json(shot.reading));
  return json.dump() + '\n';
}

void print(const std::map<Category, Row>& rows, const Row& all, const std::map<std::string, int64_t>& problems,
           bool json) {
  if (json) {
    Json categories = Json::object();
    for (const auto& [category, row] : rows) categories.set(name_of(category), json_of(row));
    std::printf("%s\n", Json::object().set("all", json_of(all)).set("categories", categories).dump(1).c_str());
    return;
  }
  std::printf("%-18s%9s%9s%9s%8s%12s%10s%9s\n", "category", "pictures", "correct", "partial", "found", "unreadable",
              "residual", "quality");
  for (const auto& [category, row] : rows) std::printf("%s", format_row(name_of(category), row).c_str());
  std::printf("%s", format_row("all", all).c_str());
  for (const auto& [problem, count] : problems)
    std::printf("unreadable for %s: %lld\n", problem.c_str(), (long long)count);
}

}  // namespace

int run_score(const Arguments& arguments) {
  std::string images, world = "tiny";
  GlobalFlags global;
  Flags flags("shapes score", "reads pictures back and compares them with their prompts; writes scores.jsonl");
  flags.add("--images", images, "folder with metadata.jsonl, as plumb sample writes it").required();
  flags.add("--world", world, "tiny, full, a JSON file, or a data set's folder").shown_as("WORLD");
  flags.add_global(global);
  flags.example("plumb shapes score --images runs/sample --world tiny");
  if (!flags.parse(arguments)) return kExitDone;
  apply_globals(global);
  const std::string out = global.out.empty() ? images + "/scores.jsonl" : global.out;
  const World settings = load_world(world);
  require_writable_file(out);
  std::map<Category, Row> rows;
  std::map<std::string, int64_t> problems;
  Row all;
  std::string lines;
  for (const Shot& shot : read_shots(images, settings)) {
    rows[shot.score.category].add(shot.score);
    all.add(shot.score);
    if (!shot.reading.readable) ++problems[shot.reading.problem];
    lines += line_of(shot);
  }
  write_file_atomic(out, lines);
  if (!global.quiet) print(rows, all, problems, global.json);
  return kExitDone;
}

}  // namespace plumb::shapes
