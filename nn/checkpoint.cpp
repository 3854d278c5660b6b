#include "nn/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "engine/format.h"
#include "engine/io/directory.h"
#include "engine/io/safetensors.h"
#include "engine/io/system_error.h"
#include "engine/require.h"
#include "nn/state_dict.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "checkpoint-";
constexpr const char* kMore = "more.safetensors";

TensorMap to_map(const StateDict& state) {
  TensorMap map;
  for (const NamedTensor& entry : state) map.emplace(entry.name, entry.tensor);
  return map;
}

StateDict from_file(const fs::path& path) {
  StateDict state;
  for (auto& [name, tensor] : load_safetensors(path)) state.push_back({name, tensor});
  return state;
}

/// Finished checkpoints by step, as their names say.
std::map<int64_t, fs::path> list_checkpoints(const fs::path& directory) {
  std::map<int64_t, fs::path> found;
  std::error_code error;
  fs::directory_iterator entries(directory, error);
  // To take a folder that cannot be listed for an empty one would begin a run anew over its checkpoints.
  if (error && error != std::errc::no_such_file_or_directory)
    raise_io_error(error.value(),
                   fmt::format("checkpoint: folder cannot be listed ({}); {}", error.message(), directory.string()));
  for (const fs::directory_entry& entry : entries) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    int64_t step = 0;
    const char* end = name.data() + name.size();
    const auto [rest, code] = std::from_chars(name.data() + kPrefix.size(), end, step);
    if (code == std::errc() && rest == end && step >= 0) found.emplace(step, entry.path());
  }
  return found;
}

}  // namespace

// Later checkpoints than `step` are not counted: what a resumed run has yet to write anew may be broken.
void prune_checkpoints(const fs::path& directory, int64_t step, int64_t keep) {
  std::map<int64_t, fs::path> all = list_checkpoints(directory);
  all.erase(all.upper_bound(step), all.end());
  while (keep > 0 && int64_t(all.size()) > keep) {
    remove_directory(all.begin()->second);
    all.erase(all.begin());
  }
}

CheckpointFiles checkpoint_files(const TrainingState& state) {
  CheckpointFiles files;
  files.emplace_back("model.safetensors", state_dict(*state.model, Include::all));
  files.emplace_back("optimizer.safetensors", state.optimizer->state_dict());
  if (state.ema) files.emplace_back("ema.safetensors", state.ema->state_dict());
  if (!state.more.empty()) files.emplace_back(kMore, state.more);
  return files;
}

void save_checkpoint(const fs::path& directory, int64_t step, const TrainingState& state, const Json& fields,
                     int64_t keep) {
  save_checkpoint(directory, step, checkpoint_files(state), fields, keep);
}

void save_checkpoint(const fs::path& directory, int64_t step, const CheckpointFiles& files, const Json& fields,
                     int64_t keep) {
  AtomicDirectory target(directory / fmt::format("{}{}", kPrefix, step));
  for (const auto& [name, tensors] : files)  // commit() syncs them all
    save_safetensors(target.file(name), to_map(tensors), {{"format", "pt"}}, Durability::left_to_system);
  Json manifest = fields;
  target.commit(manifest.set("step", step));
  prune_checkpoints(directory, step, keep);
}

std::optional<FoundCheckpoint> find_checkpoint(const fs::path& directory, std::vector<std::string>* broken,
                                               int64_t at_most) {
  std::map<int64_t, fs::path> all = list_checkpoints(directory);
  all.erase(all.upper_bound(at_most), all.end());
  for (auto it = all.rbegin(); it != all.rend(); ++it) {
    try {
      return FoundCheckpoint{it->second, it->first, verify_directory(it->second)};
    } catch (const Error& error) {
      if (broken) broken->push_back(error.what());
    }
  }
  return std::nullopt;
}

void load_checkpoint(const fs::path& checkpoint, const TrainingState& state) {
  load_state_dict(*state.model, from_file(checkpoint / "model.safetensors"), {.include = Include::all});
  state.optimizer->load_state_dict(from_file(checkpoint / "optimizer.safetensors"));
  if (state.ema) state.ema->load_state_dict(from_file(checkpoint / "ema.safetensors"));
}

StateDict load_more(const fs::path& checkpoint) {
  const fs::path file = checkpoint / kMore;
  return fs::exists(file) ? from_file(file) : StateDict();
}

}  // namespace plumb
