#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/io/directory.h"
#include "engine/io/json.h"
#include "nn/state_dict.h"

namespace plumb {

// A component of a published pipeline is a folder: config.json and the weights, which are one of
//   STEM.safetensors   STEM.VARIANT.safetensors   STEM.safetensors.index.json with its shards
// where STEM is "diffusion_pytorch_model" (diffusers) or "model" (transformers).

/// The files that hold the weights of a component.
struct WeightFiles {
  std::vector<std::filesystem::path> files;
  std::filesystem::path index;  ///< empty unless the weights are in shards
  std::string variant;          ///< "fp16", say; empty for the plain files
};

/// Finds them. `variant` empty asks for the plain files and takes a variant only where there is nothing else.
/// Throws IoError when there are none; a folder with pickles alone (.bin, .ckpt, .pt) is told what to do about it.
WeightFiles find_weight_files(const std::filesystem::path& folder, const std::string& variant = "");

/// The tensors of all files, over the mapped memory. For shards, every file of the index must be there, and hold just
/// the names that the index says. Throws IoError naming file and tensor.
StateDict load_weight_files(const WeightFiles& files);

/// config.json (or another name) of a folder. Throws IoError when it is missing or no JSON object.
Json read_config_file(const std::filesystem::path& folder, const char* name = "config.json");

struct ComponentOptions {
  std::string variant = {};         ///< see find_weight_files
  std::optional<DType> dtype = {};  ///< what the weights are to be; f32 unless set
  bool as_stored = false;           ///< what they are in the file instead
  /// Applied to the tensors before they are matched: today's names for what old files call otherwise.
  std::function<StateDict(const StateDict&)> rename = {};
};

/// Gives a module (of Init::shapes(), say) the weights of a folder, without a copy where the types agree
/// (adopt_state_dict). Throws IoError, or ValueError that begins with the file and lists the names that do not fit.
void load_component(Module& module, const std::filesystem::path& folder, const ComponentOptions& options = {});

/// What a component's folder holds: `stem` as above.
struct Component {
  std::string name;  ///< of the folder: "unet"
  Json config;
  StateDict weights;
  std::string stem = "diffusion_pytorch_model";
};

/// Adds NAME/config.json and NAME/STEM.safetensors to a directory. Throws IoError, ValueError.
void add_component(AtomicDirectory& directory, const Component& component);

}  // namespace plumb
