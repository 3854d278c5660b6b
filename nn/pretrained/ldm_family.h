#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/io/json.h"
#include "nn/pretrained/ldm_names.h"

namespace plumb {

/// The models whose single files are known.
enum class LdmFamily { sd1, sd2, sdxl };

/// "SD1", "SD2", "SDXL".
std::string_view name_of(LdmFamily family);

/// A component in a single file and in a folder.
struct LdmComponent {
  std::string_view name;  ///< of its folder
  LdmPart part;
  std::string_view prefix;  ///< of its names in the single file
  std::string_view stem;    ///< of its file in the folder (component_folder.h)
};

/// The unet first.
std::span<const LdmComponent> ldm_components(LdmFamily family);

/// Which family a single file belongs to, by its names. `file` may be without memory.
/// Throws ValueError when it is none: what else it may be is said where it can be told.
LdmFamily ldm_family(const StateDict& file);

/// The config.json of a component, as far as names and shapes tell: widths, layers, depths, sizes of the text. The
/// number of heads and the numbers no tensor shows are the family's published ones. Throws ValueError naming a tensor
/// that is missing or has an impossible shape.
Json ldm_config(LdmFamily family, const LdmComponent& component, const StateDict& file);

/// Whether a tensor under a component's prefix may be left lying: buffers, the temperature of CLIP's training, the last
/// layer and the projection of SD2's text encoder, which nothing reads. `name` without the prefix.
bool is_ldm_leftover(LdmFamily family, LdmPart part, std::string_view name);

}  // namespace plumb
