#pragma once

#include <filesystem>
#include <string>

#include "diffusion/pipeline/pipeline.h"

namespace plumb {

/// Puts a tokenizer's files into the pipeline, as component `name`. Files that are not there are left out.
void read_tokenizer_files(const std::filesystem::path& folder, const std::string& name, Pipeline& pipeline);

/// load_pipeline of a single file.
Pipeline load_single_file(const std::filesystem::path& path, const LoadPipelineOptions& options);

}  // namespace plumb
