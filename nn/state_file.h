#pragma once

#include <filesystem>

#include "engine/io/safetensors.h"
#include "nn/state_dict.h"

namespace plumb {

/// Writes a state dict as a safetensors file (engine/io/safetensors.h): atomically, in logical order.
/// Throws ValueError when a name is given twice; IoError.
void save_state(const std::filesystem::path& path, const StateDict& state,
                const Metadata& metadata = {{"format", "pt"}});

/// The tensors of a safetensors file in the order of their names, over the mapped file: nothing is read before it is
/// used. Throws IoError naming file and tensor.
StateDict load_state(const std::filesystem::path& path);

/// load_state_dict from a file: `load_state_file(unet, "unet/diffusion_pytorch_model.safetensors")`.
/// Throws IoError when the file cannot be read; ValueError beginning with its name when names or shapes do not match.
LoadReport load_state_file(Module& module, const std::filesystem::path& path, const LoadOptions& options = {});

}  // namespace plumb
