#pragma once

#include <filesystem>
#include <future>

#include "nn/checkpoint.h"

namespace plumb {

/// Writes checkpoints while training goes on: what is saved is copied to the host first, which is the only part that a
/// step waits for. One checkpoint is written at a time.
///
///   CheckpointWriter writer;
///   writer.write(folder, step, state, fields, keep);  // every few hundred steps
///   writer.check();                                   // every step: says that writing failed
///   writer.finish();                                  // before the process relies on what is on disk
class CheckpointWriter {
 public:
  /// States of more bytes than this are written before write() returns: a second copy of them would not be small
  /// beside the model.
  static constexpr int64_t kMostCopied = int64_t(1) << 30;

  explicit CheckpointWriter(int64_t most_copied = kMostCopied) : most_copied_(most_copied) {}
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;
  /// Waits. What went wrong is lost unless finish() was called.
  ~CheckpointWriter();

  /// As save_checkpoint(). First waits for the checkpoint before, and throws what went wrong with that.
  void write(const std::filesystem::path& directory, int64_t step, const TrainingState& state, const Json& fields,
             int64_t keep = 0);
  /// Throws what went wrong with a checkpoint that has ended; does not wait.
  void check();
  /// Waits for the last checkpoint, and throws what went wrong with it.
  void finish();

 private:
  int64_t most_copied_;
  std::future<void> writing_;
};

}  // namespace plumb
