#pragma once

#include <filesystem>
#include <string>

#include "diffusion/pipeline/pipeline.h"

namespace plumb {

/// Puts the tokenizer of a folder into the pipeline, as component "tokenizer" or "tokenizer_2": its files, and itself.
/// Throws IoError, ValueError.
void load_tokenizer(const std::filesystem::path& folder, const std::string& name, Pipeline& pipeline);

/// LoadPipelineOptions::tokenizer. `second`: with tokenizer_2, as SDXL has it.
void load_tokenizers(const std::filesystem::path& folder, bool second, Pipeline& pipeline);

/// load_pipeline of a single file.
Pipeline load_single_file(const std::filesystem::path& path, const LoadPipelineOptions& options);

}  // namespace plumb
