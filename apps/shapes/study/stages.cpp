#include "apps/shapes/study/stages.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "apps/common/child_process.h"
#include "apps/shapes/study/json_lines.h"
#include "engine/format.h"
#include "nn/data/metadata_file.h"

namespace plumb::study {
namespace {

constexpr const char* kDone = "done";
constexpr const char* kUnhealthy = "unhealthy";

std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && word.find_first_of(" \"'$\\*?|&;<>()#") == std::string::npos;
  return plain ? word : fmt::format("'{}'", word);
}

}  // namespace

std::string command_line(const std::string& verb, const Arguments& words) {
  std::string line = fmt::format("plumb {}", verb);
  for (const std::string& word : words) line += fmt::format(" {}", quoted(word));
  return line;
}

Stages::Stages(const OutputDir& out, StagesOptions options) : out_(out), options_(std::move(options)) {
  const std::string path = out_ / "stages.jsonl";
  if (!std::filesystem::exists(path)) return;
  for (const auto& [entry, line] : read_metadata(path))
    done_.push_back({entry.at("stage").as_string(), entry.at("command").as_string(), entry.at("seconds").as_number(),
                     entry.at("end").as_string() == kUnhealthy ? StageEnd::unhealthy : StageEnd::done});
}

double Stages::seconds() const {
  const std::lock_guard lock(mutex_);
  double sum = 0;
  for (const Done& done : done_) sum += done.seconds;
  return sum;
}

std::optional<StageEnd> Stages::find(const std::string& name, const std::string& command) const {
  const std::lock_guard lock(mutex_);
  for (const Done& done : done_)
    if (done.stage == name && done.command == command) return done.end;
  return std::nullopt;
}

void Stages::record(Done done) {
  const std::lock_guard lock(mutex_);
  std::erase_if(done_, [&](const Done& earlier) { return earlier.stage == done.stage; });
  done_.push_back(std::move(done));
  std::vector<Json> lines;
  for (const Done& entry : done_) {
    lines.push_back(Json::object());
    lines.back().set("stage", entry.stage).set("command", entry.command).set("seconds", entry.seconds);
    lines.back().set("end", entry.end == StageEnd::unhealthy ? kUnhealthy : kDone);
  }
  write_json_lines(out_ / "stages.jsonl", lines);
}

StageEnd Stages::run(const std::string& name, const std::string& verb, const Arguments& words,
                     const std::optional<Arguments>& resume) {
  Arguments all = words;
  all.insert(all.end(), {"--out", path(name)});
  const bool begun = !find(name, command_line(verb, all)) && std::filesystem::exists(path(name));
  // A command that outlived a study that was killed may be writing still: the lock says so.
  if (begun && std::filesystem::is_directory(path(name))) const OutputDir free{path(name)};
  if (begun && !resume) std::filesystem::remove_all(path(name));
  return perform(name, verb, all, begun && resume ? *resume : Arguments{});
}

StageEnd Stages::run_beside(const std::string& name, const std::string& verb, const Arguments& words) {
  return perform(name, verb, words);
}

StageEnd Stages::perform(const std::string& name, const std::string& verb, const Arguments& words,
                         const Arguments& unrecorded) {
  const std::string command = command_line(verb, words);
  if (const auto end = find(name, command)) return *end;
  if (stop_.requested()) throw StageStopped{stop_.exit_code()};
  if (!options_.quiet) std::fprintf(stderr, "%s: %s\n", name.c_str(), command.c_str());
  Arguments all = {verb};
  all.insert(all.end(), words.begin(), words.end());
  all.insert(all.end(), unrecorded.begin(), unrecorded.end());
  all.insert(all.end(), options_.words.begin(), options_.words.end());
  const int64_t share = alone_ ? options_.threads : std::max<int64_t>(1, options_.threads / options_.jobs);
  all.insert(all.end(), {"--threads", fmt::format("{}", share)});
  const auto begin = std::chrono::steady_clock::now();
  const int code = run_child(options_.program, all, stop_);
  if (code != kExitDone && code != kExitUnhealthy) throw StageStopped{code};
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  if (!options_.quiet) std::fprintf(stderr, "%s: %.1f s\n", name.c_str(), took.count());
  const StageEnd end = code == kExitUnhealthy ? StageEnd::unhealthy : StageEnd::done;
  record({name, command, took.count(), end});
  return end;
}

}  // namespace plumb::study
