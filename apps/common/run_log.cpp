#include "apps/common/run_log.h"

#include <filesystem>

#include "engine/error.h"
#include "engine/io/json.h"

namespace plumb {
namespace {

// The step of a log line; -1 for a line that is not one of ours.
int64_t step_of(std::string_view line) {
  try {
    Json object = Json::parse(line);
    const Json* step = object.find("step");
    return step ? step->as_integer() : -1;
  } catch (const Error&) {
    return -1;
  }
}

// The lines of the steps before first_step.
std::string lines_before(const std::string& text, int64_t first_step) {
  std::string kept;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;  // torn by a kill
    std::string_view line(text.data() + begin, end - begin);
    int64_t step = step_of(line);
    if (step >= 0 && step < first_step) kept.append(line).append("\n");
    begin = end + 1;
  }
  return kept;
}

}  // namespace

RunLog::RunLog(std::string path, int64_t first_step) {
  bool resumes = first_step > 0 && std::filesystem::exists(path);
  write_file_atomic(path, resumes ? lines_before(read_file(path), first_step) : std::string());
  file_.emplace(std::move(path));
}

void RunLog::add_tensorboard(const std::string& directory) {
  tensorboard_ = std::make_unique<TensorBoardWriter>(directory);
}

void RunLog::write(int64_t step, const NamedValues& values) {
  Json object = Json::object();
  object.set("step", step);
  for (const auto& [name, value] : values) object.set(name, value);
  file_->write(object.dump() + '\n');
  if (tensorboard_) tensorboard_->write(step, values);
}

void RunLog::sync() { file_->sync(); }

void write_metrics(const std::string& path, const Json& metrics) { write_file_atomic(path, metrics.dump(2) + "\n"); }

}  // namespace plumb
