#pragma once

#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/io/json.h"
#include "nn/optim/ema.h"
#include "nn/optim/optimizer.h"

namespace plumb {

/// What a training run keeps: the module with its masters, optimiser state, and the average if there is one. Random
/// draws and data order are pure functions of seed and step, so the step is the only counter.
struct TrainingState {
  Module* model = nullptr;
  Optimizer* optimizer = nullptr;
  Ema* ema = nullptr;   ///< may be null
  StateDict more = {};  ///< further tensors; load_more() gives them back
};

/// The files of a checkpoint by name, with the tensors of each.
using CheckpointFiles = std::vector<std::pair<std::string, StateDict>>;

/// The state's tensors by file, sharing the state's memory.
CheckpointFiles checkpoint_files(const TrainingState& state);

/// Writes DIRECTORY/checkpoint-STEP (model.safetensors, optimizer.safetensors, ema.safetensors, more.safetensors,
/// manifest.json),
/// complete or not at all (engine/io/directory.h), and only then removes the oldest beyond `keep` (0: keeps all).
/// `fields` go into the manifest beside "step"; a resumed run finds them there. Throws IoError.
void save_checkpoint(const std::filesystem::path& directory, int64_t step, const CheckpointFiles& files,
                     const Json& fields, int64_t keep = 0);
void save_checkpoint(const std::filesystem::path& directory, int64_t step, const TrainingState& state,
                     const Json& fields, int64_t keep = 0);

/// Removes all but the newest `keep` (0: keeps all) of the checkpoints up to `step`, as save_checkpoint() does: for a
/// run that goes on after one that was stopped between writing a checkpoint and this. Throws IoError.
void prune_checkpoints(const std::filesystem::path& directory, int64_t step, int64_t keep);

/// A checkpoint that was found whole.
struct FoundCheckpoint {
  std::filesystem::path path;
  int64_t step = 0;
  Json manifest;
};

/// The newest checkpoint-STEP below `directory`, of a step of `at_most`, whose manifest verifies; broken ones are
/// passed over and named in `broken` (with the reason). Empty when there is none.
std::optional<FoundCheckpoint> find_checkpoint(const std::filesystem::path& directory,
                                               std::vector<std::string>* broken = nullptr,
                                               int64_t at_most = std::numeric_limits<int64_t>::max());

/// Copies a checkpoint into the state, bit for bit. Throws IoError or ValueError naming what does not fit.
void load_checkpoint(const std::filesystem::path& checkpoint, const TrainingState& state);
/// TrainingState::more of a checkpoint; empty when it had none. Throws IoError.
StateDict load_more(const std::filesystem::path& checkpoint);

}  // namespace plumb
