#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/io/safetensors.h"
#include "nn/pretrained/component_folder.h"
#include "nn/pretrained/ldm_family.h"

namespace plumb {

/// Configurations by component ("unet", "vae", …, and "scheduler") that a file of ours carries in its metadata, under
/// "plumb.config.NAME", where names and shapes do not tell them. Other programs do not read them.
using CarriedConfigs = std::map<std::string, Json>;

/// Those of a file. Throws IoError.
CarriedConfigs carried_configs(const std::filesystem::path& path);
/// The metadata of a file that carries them.
Metadata with_configs(const CarriedConfigs& configs);

/// A single file of Stable Diffusion 1, 2 or XL, as the components of a folder.
struct SingleFile {
  LdmFamily family = LdmFamily::sd1;
  /// Those the file holds, the unet first: configurations as the file carries them or by ldm_config, weights under the
  /// folder's names over the mapped file, in the types of the file.
  std::vector<Component> components;
  std::vector<std::string> ignored;  ///< tensors that no component takes
  LoadReport report;                 ///< what does not fit, in the file's names; empty after a strict reading
  std::optional<Json> scheduler;     ///< where the file carries it
};

/// Reads a single file. Strict: every tensor of a component must be there with its shape, and no other below its
/// prefix but known leftovers; a component without any tensor is absent. A unet there must be.
/// Throws IoError; ValueError beginning with the file and listing, in its own names, what does not fit.
SingleFile read_single_file(const std::filesystem::path& path);

/// The same for tensors at hand; they may be without memory. Messages do not name the file. Not strict: what does not
/// fit is reported, not thrown.
SingleFile split_single_file(const StateDict& file, bool strict = true, const CarriedConfigs& carried = {});

/// Names and shapes of the network a config.json describes (unet, vae or text encoder), without memory. Throws
/// ValueError.
StateDict shapes_of_component(const std::string& name, const Json& config);

/// The tensors of a single file with these components. Throws ValueError for a component or a name that such files do
/// not have.
StateDict join_single_file(LdmFamily family, const std::vector<Component>& components);

}  // namespace plumb
