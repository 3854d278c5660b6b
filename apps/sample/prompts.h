#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plumb {

/// What one picture is to show, and how it differs from the other pictures of a run.
struct PicturePrompt {
  std::string text;
  std::optional<std::string> negative = {};
  std::optional<int64_t> width = {}, height = {}, seed = {}, steps = {};
  std::optional<double> guidance_scale = {};
};

/// One line as kohya's scripts read it: "a red bicycle --n rain --w 512 --h 384 --d 7 --l 7.5 --s 20". `where` names
/// the line. Throws UsageError.
PicturePrompt parse_prompt_line(std::string_view line, const std::string& where);

/// Prompts of a file: a line each, empty ones and those that begin with # left out; or, where its name ends in .jsonl,
/// an object a line with "prompt" and optionally "negative_prompt", "width", "height", "seed", "num_inference_steps"
/// and "guidance_scale". Throws IoError, UsageError naming the line.
std::vector<PicturePrompt> read_prompts(const std::filesystem::path& path);

}  // namespace plumb
