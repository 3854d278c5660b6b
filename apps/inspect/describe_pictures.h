#pragma once

#include <filesystem>

#include "engine/io/json.h"

namespace plumb {

/// What is known of a folder of a class that load_pipeline reads: family, elements, networks [{name, elements, dtypes,
/// missing, extra, misshaped, problem}] (names that do not fit the network of its config.json; why it could not be
/// compared), loads_with, notes. Null for other classes. Nothing but headers and configurations is read.
Json describe_picture_folder(const std::filesystem::path& folder, const Json& index);

/// The same of a single file of Stable Diffusion; names are the file's. Null for other files.
Json describe_picture_file(const std::filesystem::path& path);

/// Lines for people.
std::string format_picture_model(const Json& model);

}  // namespace plumb
