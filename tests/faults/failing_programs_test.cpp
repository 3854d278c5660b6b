// R4: the n-th call of a program fails.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "apps/common/output_dir.h"
#include "apps/common/run_guarded.h"
#include "apps/program.h"
#include "engine/io/file.h"
#include "engine/io/json.h"
#include "tests/faults/counts.h"
#include "tests/faults/failing_calls.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using namespace plumb::test;
namespace fs = std::filesystem;

namespace {

struct Outcome {
  int code = 0;
  std::string error;  ///< what it wrote to standard error
};

/// A run of the program, standard error caught.
Outcome run(const Arguments& words) {
  const TempDir folder;
  const std::string path = folder / "error";
  std::fflush(stderr);
  const int before = ::dup(STDERR_FILENO);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT, 0600);
  ::dup2(file, STDERR_FILENO);
  ::close(file);
  const int code = run_guarded([&] { return run_program(words, verbs()); });
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  return {code, read_file(path)};
}

/// A log without the times in it.
std::string without_times(const std::string& text) {
  std::string result;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    Json line = Json::parse(text.substr(begin, end - begin));
    for (const char* name : {"samples_per_s", "step_s", "data_s"})
      if (line.find(name)) line.erase(name);
    result += line.dump() + "\n";
    begin = end + 1;
  }
  return result;
}

/// The files in which a run differs from an unbroken one, "" for none.
std::string differences(const std::map<std::string, std::string>& got,
                        const std::map<std::string, std::string>& expected) {
  std::string names;
  for (const auto& [name, bytes] : expected)
    if (!got.contains(name) || got.at(name) != bytes) names += name + " ";
  for (const auto& [name, bytes] : got)
    if (!expected.contains(name)) names += name + " ";
  return names;
}

/// Everything a run leaves that does not depend on when and where it ran.
std::map<std::string, std::string> results(const fs::path& out) {
  std::map<std::string, std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(out)) {
    const std::string name = entry.path().lexically_relative(out).string();
    if (!entry.is_regular_file() || name == "metrics.json" || name == "config.toml" || name == "samples.png" ||
        name.starts_with("logs/"))
      continue;
    const std::string bytes = read_file(entry.path());
    found[name] = name == "log.jsonl" ? without_times(bytes) : bytes;
  }
  return found;
}

/// A verb into a folder, and how to repeat it after it failed.
struct Program {
  std::string name;
  Arguments words, again;
  bool ordered = true;  ///< the n-th call is the same one every time: nothing is written behind the steps
};

struct Tally {
  int64_t failed = 0, reported = 0;
};

/// Fails call `at` of the program, and lets it be repeated: the same results in the end, whatever happened. False when
/// the program makes no such call.
bool fail_once(const Program& program, const fs::path& before, const Failure& failure, int64_t at,
               const std::map<std::string, std::string>& expected, Tally& tally) {
  const std::string what = fmt::format("{}: {} at call {}", program.name, failure.name, at);
  CAPTURE(what);
  const TempDir folder;
  const fs::path out = folder / "out";
  if (fs::exists(before)) fs::copy(before, out, fs::copy_options::recursive);
  const auto into = [&](Arguments words) {
    words.insert(words.end(), {"--out", out.string()});
    return words;
  };
  Outcome outcome;
  bool untouched = false, hit = false;
  {
    const FaultInjection injection(
        {.folder = folder.path().string(), .at = at, .fault = failure.fault, .error = failure.error});
    outcome = run(into(program.words));
    untouched = injection.calls() <= at;
    hit = injection.hit();
  }
  INFO("exit ", outcome.code, ", ", outcome.error);
  const bool refused = outcome.code == 1 || outcome.code == 2;
  CHECK((refused || outcome.code == 0));
  if (failure.harmless && program.ordered) CHECK(outcome.code == 0);
  if (refused) {
    const size_t lines = size_t(std::count(outcome.error.begin(), outcome.error.end(), '\n'));
    CHECK(lines >= 1);
    CHECK(outcome.error.find("plumb: error: ") != std::string::npos);
    CHECK(outcome.error.find(folder.path().string()) != std::string::npos);
    outcome = run(into(program.again));
    INFO("again: ", outcome.error);
    CHECK(outcome.code == 0);
  }
  const OutputDir next_start(out.string());  // removes what could not be removed then
  CHECK(differences(results(out), expected) == "");
  tally.failed += hit;
  tally.reported += refused;
  return !untouched;
}

void fail_everywhere(const Program& program, const fs::path& before) {
  const TempDir folder;
  const fs::path out = folder / "out";
  if (fs::exists(before)) fs::copy(before, out, fs::copy_options::recursive);
  std::vector<IoCall> calls;
  {
    const FaultInjection injection({.folder = folder.path().string(), .record = true});
    Arguments words = program.words;
    words.insert(words.end(), {"--out", out.string()});
    const Outcome whole = run(words);
    INFO(whole.error);
    REQUIRE(whole.code == 0);
    calls = injection.recorded();
  }
  const auto expected = results(out);
  REQUIRE(expected.size() > 1);
  Tally tally;
  const int64_t stride = (kSanitized ? 29 : 4 - tries(1, 3)) * (program.ordered ? 1 : 3);
  for (const Failure& failure : kFailures)
    for (int64_t at = 0; at < int64_t(calls.size()); at += stride)
      if (can_fail(calls[size_t(at)], failure)) fail_once(program, before, failure, at, expected, tally);
  CHECK_FALSE(fail_once(program, before, kFailures[0], int64_t(calls.size()) + 50, expected, tally));
  CHECK(tally.reported > 0);
  count("R4", fmt::format("{} failing calls in {} ({} calls): {} reported and repeated to the same results, {} of no "
                          "consequence, 0 wrong results",
                          tally.failed, program.name, calls.size(), tally.reported, tally.failed - tally.reported));
}

Arguments split(const std::string& text) {
  Arguments words;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

Arguments operator+(Arguments words, const Arguments& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

const std::string kTrain =
    "train --max_train_steps 4 --checkpointing_steps 2 --train_batch_size 4 --classes 2 --samples_per_class 5 --hidden "
    "4 "
    "--hidden_layers 1 --seed 7 --quiet --threads 1";
const std::string kOrdered = " --no_async_checkpointing";

}  // namespace

TEST_CASE("R4: any call of train that fails ends it with a line, and the next run makes up for it") {
  const std::string words = kTrain + " --use_ema --checkpoints_total_limit 1";
  const Arguments train = split(words + kOrdered), behind = split(words);
  const Arguments again = split("--resume_from_checkpoint latest");
  fail_everywhere({"train", train, train + again}, {});
  fail_everywhere({"train with checkpoints behind its steps", behind, behind + again, /*ordered=*/false}, {});
}

TEST_CASE("R4: any call of a resumed train, of align and of sample that fails ends it with a line") {
  const TempDir folder;
  const Arguments train = split(kTrain + kOrdered);
  REQUIRE(run(train + Arguments{"--out", (folder / "two").string()}).code == 0);
  fs::remove_all(folder / "two/checkpoint-4");
  const Arguments resumed = train + split("--resume_from_checkpoint latest");
  fail_everywhere({"a resumed train", resumed, resumed}, folder / "two");

  const std::string model = (folder / "two/model").string();
  const Arguments align = split(
      "align --pairs_per_class 2 --train_batch_size 4 --max_train_steps 3 --checkpointing_steps "
      "2 --use_lora --report_to none --seed 3 --quiet --threads 1 --no_async_checkpointing --model " +
      model);
  fail_everywhere({"align", align, align + split("--resume_from_checkpoint latest")}, {});

  const Arguments sample = split("sample --num_samples 6 --num_inference_steps 2 --quiet --threads 1 --model " + model);
  fail_everywhere({"sample", sample, sample}, {});
}
