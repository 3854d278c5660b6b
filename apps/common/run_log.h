#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "apps/common/tensorboard.h"
#include "engine/io/file.h"

namespace plumb {

class Json;

/// The record of a run, a JSON object a step in OUT/log.jsonl and, if wanted, the same numbers as TensorBoard events:
///
///   RunLog log(out / "log.jsonl", first_step);
///   log.write(step, {{"loss", loss}, {"lr", lr}});
///
/// Each line is written whole and flushed before write() returns, so a killed run loses no finished step.
class RunLog {
 public:
  /// A fresh run (first_step 0) replaces an older file. A resumed one keeps the lines of the steps below first_step and
  /// drops later ones, which the resumed run repeats, and a torn last line. Throws IoError.
  RunLog(std::string path, int64_t first_step = 0);

  /// Also writes every value as a scalar to DIRECTORY. Throws IoError.
  void add_tensorboard(const std::string& directory);

  /// {"step": step, NAME: value, ...}. Values that are NaN or infinite become null, which JSON has instead.
  /// Throws IoError.
  void write(int64_t step, const NamedValues& values);
  /// Waits until the lines are on disk, so that a checkpoint written next never outlives them. Throws IoError.
  void sync();

 private:
  std::optional<AppendedFile> file_;
  std::unique_ptr<TensorBoardWriter> tensorboard_;
};

/// Writes the final numbers of a run, indented, atomically. Throws IoError.
void write_metrics(const std::string& path, const Json& metrics);

}  // namespace plumb
