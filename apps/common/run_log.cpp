#include "apps/common/run_log.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "engine/io/file.h"
#include "engine/io/json.h"
#include "engine/require.h"

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

RunLog::RunLog(std::string path, int64_t first_step) : path_(std::move(path)), file_(nullptr, &std::fclose) {
  bool resumes = first_step > 0 && std::filesystem::exists(path_);
  write_file_atomic(path_, resumes ? lines_before(read_file(path_), first_step) : std::string());
  file_.reset(std::fopen(path_.c_str(), "ab"));
  require<IoError>(file_ != nullptr, "log: the file cannot be opened ({}); {}", path_, std::strerror(errno));
}

void RunLog::add_tensorboard(const std::string& directory) {
  tensorboard_ = std::make_unique<TensorBoardWriter>(directory);
}

void RunLog::write(int64_t step, const NamedValues& values) {
  Json object = Json::object();
  object.set("step", step);
  for (const auto& [name, value] : values) object.set(name, value);
  std::string line = object.dump();
  line += '\n';
  bool written = std::fwrite(line.data(), 1, line.size(), file_.get()) == line.size();
  require<IoError>(written && std::fflush(file_.get()) == 0, "log: the file cannot be written ({}); {}", path_,
                   std::strerror(errno));
  if (tensorboard_) tensorboard_->write(step, values);
}

void RunLog::sync() {
  // EINVAL: the log is no regular file (a pipe, /dev/null), which has nothing to sync.
  require<IoError>(fsync(fileno(file_.get())) == 0 || errno == EINVAL, "log: the file cannot be synced ({}); {}", path_,
                   std::strerror(errno));
}

void write_metrics(const std::string& path, const Json& metrics) { write_file_atomic(path, metrics.dump(2) + "\n"); }

}  // namespace plumb
