#pragma once

#include <filesystem>
#include <string>

#include "engine/io/json.h"

namespace plumb {

/// Describes a path as a JSON object; "kind" says which of these it is:
///   safetensors   path, count (tensors), elements, bytes, metadata, tensors [{name, dtype, shape, elements, bytes}];
///                 pictures (describe_pictures.h) where it is a single file of Stable Diffusion
///   checkpoint    path, step, verified, settings, files [safetensors]
///   model         path, class, verified, components [{name, class, config, weights: safetensors}]; elements and
///                 loads_with where the class is ours; pictures (describe_pictures.h) where it is one for pictures
///   run           path, checkpoints [checkpoint], model
/// Throws IoError, ValueError or UsageError naming what is broken, and for a path that is none of them.
Json describe_path(const std::filesystem::path& path);

/// For value >= 0: 42050 -> "42,050".
std::string grouped(int64_t value);

/// The same for people; with `all`, the tensors inside folders too.
std::string format_description(const Json& description, bool all);

}  // namespace plumb
