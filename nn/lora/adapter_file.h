#pragma once

#include <filesystem>
#include <string_view>

#include "nn/lora/adapter_state.h"

namespace plumb {

/// Writes the adapter `name` as a folder that other programs read, complete or not at all:
///   pytorch_lora_weights.safetensors         PEFT names, the file diffusers' load_lora_weights looks for; its metadata
///                                            hold the configuration as "lora_adapter_metadata"
///   adapter_config.json                      PEFT's configuration
///   pytorch_lora_weights_kohya.safetensors   kohya names, for ComfyUI, A1111 and stable-diffusion.cpp
///   manifest.json                            sizes and hashes
/// A folder of that name is replaced. Throws ValueError when no layer has the name; IoError.
void save_adapter(const std::filesystem::path& folder, Module& module, std::string_view name,
                  const AdapterNames& names = {});

/// Adds an adapter from such a folder, from a PEFT folder (adapter_model.safetensors), or from a single safetensors
/// file in either naming (adapter_state.h says what is read and how strictly). Rank and alpha of PEFT names are those
/// of the file's metadata, else of an adapter_config.json beside it, else alpha is the rank. Nothing is activated.
/// Returns the number of layers. Throws IoError; ValueError beginning with the file's name.
int load_adapter(Module& module, std::string_view name, const std::filesystem::path& path,
                 const AdapterNames& names = {});

}  // namespace plumb
