#include "apps/toy2d/study/search.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "apps/toy2d/study/parts.h"
#include "apps/toy2d/study/study.h"
#include "engine/io/file.h"
#include "engine/parallel.h"
#include "engine/require.h"

using namespace plumb;
using namespace plumb::toy2d;

namespace {

struct Folder {
  std::filesystem::path path;
  explicit Folder(const char* name)
      : path(std::filesystem::temp_directory_path() / (std::string(name) + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

Settings small_settings() {
  Settings settings;
  settings.global.quiet = true;
  settings.world.classes = 3;
  settings.samples_per_class = 7;
  settings.training_samples_per_class = 20;
  settings.reference_steps = 5;
  settings.reference_batch = 9;
  settings.pair_sources = {"clean"};
  settings.seeds = 2;
  settings.samplers = {"ddim2"};
  return settings;
}

/// Two methods of the grid with two checkpoints each.
std::vector<StudyRun> small_grid(const Settings& settings) {
  std::vector<StudyRun> runs;
  for (StudyRun& run : search_runs(settings, choose_methods({"sft", "diffusion_dpo"}, {})))
    if (run.method.learning_rate <= 3e-5) {
      run.checkpoints = {1, 2};
      runs.push_back(std::move(run));
    }
  return runs;
}

}  // namespace

TEST_CASE("toy2d search: lines survive, a torn last line is dropped, others are refused by number") {
  const Folder folder("plumb_search_log");
  const std::string path = folder.path / "search.jsonl";
  {
    SearchLog log(path);
    log.append({"one", {25, 50}, {0.5, std::nan("")}});
    log.append({"two", {25}, {1.25}});
  }
  { std::ofstream(path, std::ios::app) << R"({"key": "thr)"; }
  {
    SearchLog log(path);
    CHECK(log.contains("one"));
    CHECK_FALSE(log.contains("thr"));
    CHECK(log.at("two").sw2 == std::vector<double>{1.25});
    CHECK(log.at("one").steps == std::vector<int64_t>{25, 50});
    CHECK(std::isnan(log.at("one").sw2[1]));
    CHECK_THROWS_AS(log.at("three"), ValueError);
    log.append({"three", {}, {}});
  }
  CHECK(SearchLog(path).contains("three"));
  { std::ofstream(path, std::ios::app) << "nonsense\n"; }
  CHECK_THROWS_WITH_AS(SearchLog{path}, doctest::Contains("line 4"), IoError);
}

TEST_CASE("toy2d search: a second search runs nothing and selects the same") {
  const Folder folder("plumb_search");
  const std::string path = folder.path / "search.jsonl";
  const Settings settings = small_settings();
  const std::vector<StudyRun> runs = small_grid(settings);
  CHECK(runs.size() == 2 + 2 * 3);  // SFT has no beta
  const StopOnSignal stop;
  std::string first;
  {
    SearchLog log(path);
    CHECK_THROWS_AS(select_best(settings, runs, log), ValueError);
    CHECK(search(settings, runs, log, stop));
    first = format_selected(select_best(settings, runs, log));
  }
  const std::string text = read_file(path);
  CHECK(std::count(text.begin(), text.end(), '\n') == std::ptrdiff_t(runs.size()) * kSearchSeeds);
  SearchLog again(path);
  CHECK(search(settings, runs, again, stop));
  CHECK(read_file(path) == text);
  CHECK(format_selected(select_best(settings, runs, again)) == first);
  Settings other = settings;
  other.world.sigma = 0.4;
  CHECK(search_key(other, runs[0], 100) != search_key(settings, runs[0], 100));
  CHECK(search_key(settings, runs[0], 100) != search_key(settings, runs[0], 101));
}

TEST_CASE("toy2d study: the plan's names are unique, and every result has the same bits for any thread count") {
  const Settings settings = small_settings();
  KeyValues set;
  for (const Method& method : all_methods()) set.emplace_back(method.name + ".pairs_per_step", "5");
  const std::vector<Method> methods = choose_methods({"all"}, set);
  std::vector<StudyRun> plan = plan_study(settings, methods), runs;
  std::vector<std::string> names;
  for (const StudyRun& run : plan) {
    names.push_back(run.part + "/" + run.variant + "/" + run.pairs + "/" + std::to_string(run.pairs_per_class));
    CHECK(run.pairs_per_class >= 1);
  }
  std::sort(names.begin(), names.end());
  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
  for (size_t i = 0; i < plan.size(); i += 9) {
    plan[i].method.steps = 2;
    if (!plan[i].checkpoints.empty()) plan[i].checkpoints = {0, 2};
    plan[i].by_timestep = i == 0;
    runs.push_back(plan[i]);
  }
  Generator generator(RandomKey{.seed = 3}.philox_key());
  PointDenoiser reference({.classes = 3}, generator);
  const std::vector<StudySeed> seeds = {{7, seed_key(7), &reference}, {8, seed_key(8), &reference}};
  const StopOnSignal stop;
  const auto numbers = [&](int threads) {
    const int before = num_threads();
    set_num_threads(threads);
    std::vector<double> all;
    for (const StudyRow& row : summarize_study(run_study(settings, runs, seeds, stop)))
      for (const auto& [name, spread] : row.metrics) all.insert(all.end(), spread.values.begin(), spread.values.end());
    set_num_threads(before);
    return all;
  };
  const std::vector<double> one = numbers(1);
  CHECK(one.size() >= runs.size() * 8);
  CHECK(numbers(3) == one);
}

TEST_CASE("toy2d study: every method has tuned settings of the grid on both pair sources, where the search applies") {
  Settings settings;
  const std::vector<Method> methods = choose_methods({"all"}, {});
  const std::vector<StudyRun> runs = tuned_runs(settings, methods);
  for (const Method& method : methods)
    for (const std::string& source : settings.pair_sources) {
      const auto found = std::find_if(runs.begin(), runs.end(), [&](const StudyRun& run) {
        return run.variant == method.name && run.pairs == source;
      });
      REQUIRE((found != runs.end()) == !method.degenerate);
      if (method.degenerate) continue;
      const auto in = [](const auto& axis, auto value) {
        return std::find(axis.begin(), axis.end(), value) != axis.end();
      };
      CHECK(in(kSearchRates, found->method.learning_rate));
      CHECK(in(kSearchSteps, found->method.steps));
    }
  settings.world.sigma = 0.4;
  CHECK(tuned_runs(settings, methods).empty());
  settings = {};
  settings.first_seed = 98;  // 98 to 102 include the seeds of the search
  CHECK(tuned_runs(settings, methods).empty());
}
