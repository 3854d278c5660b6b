#include "nn/checkpoint_writer.h"

#include <chrono>

namespace plumb {
namespace {

int64_t bytes_of(const CheckpointFiles& files) {
  int64_t bytes = 0;
  for (const auto& [name, tensors] : files)
    for (const NamedTensor& entry : tensors) bytes += entry.tensor.numel() * int64_t(size_of(entry.tensor.dtype()));
  return bytes;
}

void copy_to_host(CheckpointFiles& files) {
  for (auto& [name, tensors] : files)
    for (NamedTensor& entry : tensors)
      entry.tensor = entry.tensor.device().is_cpu() ? entry.tensor.clone() : entry.tensor.to(kCpu);
}

}  // namespace

CheckpointWriter::~CheckpointWriter() {
  if (writing_.valid()) writing_.wait();
}

void CheckpointWriter::write(const std::filesystem::path& directory, int64_t step, const TrainingState& state,
                             const Json& fields, int64_t keep) {
  finish();
  CheckpointFiles files = checkpoint_files(state);
  if (bytes_of(files) > most_copied_) return save_checkpoint(directory, step, files, fields, keep);
  copy_to_host(files);
  writing_ = std::async(std::launch::async, [directory, step, files = std::move(files), fields, keep] {
    save_checkpoint(directory, step, files, fields, keep);
  });
}

void CheckpointWriter::check() {
  using std::chrono::seconds;
  if (writing_.valid() && writing_.wait_for(seconds(0)) == std::future_status::ready) writing_.get();
}

void CheckpointWriter::finish() {
  if (writing_.valid()) writing_.get();
}

}  // namespace plumb
