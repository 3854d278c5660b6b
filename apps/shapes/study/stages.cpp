#include "apps/shapes/study/stages.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "apps/shapes/study/json_lines.h"
#include "apps/verbs.h"
#include "engine/format.h"
#include "engine/require.h"

namespace plumb::study {
namespace {

constexpr const char* kDone = "done";
constexpr const char* kUnhealthy = "unhealthy";

const Verb& verb_of(const std::string& name) {
  const auto found = std::find_if(verbs().begin(), verbs().end(), [&](const Verb& verb) { return verb.name == name; });
  require<ValueError>(found != verbs().end(), "study: no such verb ({})", name);
  return *found;
}

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

Stages::Stages(const OutputDir& out, Arguments globals, bool quiet)
    : out_(out), globals_(std::move(globals)), quiet_(quiet) {
  const std::string path = out_ / "stages.jsonl";
  if (!std::filesystem::exists(path)) return;
  for (const Json& entry : read_json_lines(path))
    done_.push_back({entry.at("stage").as_string(), entry.at("command").as_string(), entry.at("seconds").as_number(),
                     entry.at("end").as_string() == kUnhealthy ? StageEnd::unhealthy : StageEnd::done});
}

double Stages::seconds() const {
  double sum = 0;
  for (const Done& done : done_) sum += done.seconds;
  return sum;
}

const Stages::Done* Stages::find(const std::string& name, const std::string& command) const {
  for (const Done& done : done_)
    if (done.stage == name && done.command == command) return &done;
  return nullptr;
}

void Stages::record(Done done) {
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

StageEnd Stages::run(const std::string& name, const std::string& verb, const Arguments& words, bool resumes) {
  Arguments all = words;
  all.insert(all.end(), {"--out", path(name)});
  if (!find(name, command_line(verb, all)) && !resumes) std::filesystem::remove_all(path(name));
  return perform(name, verb, all);
}

StageEnd Stages::run_beside(const std::string& name, const std::string& verb, const Arguments& words) {
  return perform(name, verb, words);
}

StageEnd Stages::perform(const std::string& name, const std::string& verb, const Arguments& words) {
  const std::string command = command_line(verb, words);
  if (const Done* done = find(name, command)) return done->end;
  if (!quiet_) std::fprintf(stderr, "%s: %s\n", name.c_str(), command.c_str());
  Arguments all = words;
  all.insert(all.end(), globals_.begin(), globals_.end());
  const auto begin = std::chrono::steady_clock::now();
  StageEnd end = StageEnd::done;
  try {
    if (const int code = verb_of(verb).run(all); code != kExitDone) throw StageStopped{code};
  } catch (const UnhealthyError& error) {
    if (!quiet_) std::fprintf(stderr, "%s: %s\n", name.c_str(), error.what());
    end = StageEnd::unhealthy;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  if (!quiet_) std::fprintf(stderr, "%s: %.1f s\n", name.c_str(), took.count());
  record({name, command, took.count(), end});
  return end;
}

}  // namespace plumb::study
