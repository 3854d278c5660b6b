#include "apps/sample/prompts.h"

#include <charconv>
#include <cmath>

#include "apps/common/exit_codes.h"
#include "engine/format.h"
#include "engine/io/file.h"
#include "engine/io/json.h"
#include "engine/require.h"

namespace plumb {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

template <class T>
T number(std::string_view text, std::string_view option, const std::string& where) {
  T value{};
  const auto [rest, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool sound = code == std::errc() && rest == text.data() + text.size() && value >= 0;
  if constexpr (std::is_floating_point_v<T>) sound = sound && std::isfinite(value);
  require<UsageError>(sound, "sample: {} expects a number ({}: \"{}\")", option, where, text);
  return value;
}

void apply_option(PicturePrompt& prompt, std::string_view name, std::string_view value, const std::string& where) {
  if (name == "--n")
    prompt.negative = std::string(value);
  else if (name == "--w")
    prompt.width = number<int64_t>(value, name, where);
  else if (name == "--h")
    prompt.height = number<int64_t>(value, name, where);
  else if (name == "--d")
    prompt.seed = number<int64_t>(value, name, where);
  else if (name == "--s")
    prompt.steps = number<int64_t>(value, name, where);
  else if (name == "--l")
    prompt.guidance_scale = number<double>(value, name, where);
  else
    raise<UsageError>("sample: a prompt takes --n --w --h --d --l --s ({}: {})", where, name);
}

PicturePrompt checked(PicturePrompt prompt, const std::string& where) {
  for (const auto& [name, size] :
       {std::pair{"width", prompt.width}, {"height", prompt.height}, {"steps", prompt.steps}})
    require<UsageError>(!size || *size > 0, "sample: {} must be positive ({}: {})", name, where, size.value_or(0));
  require<UsageError>(!prompt.seed || *prompt.seed >= 0, "sample: seed must not be negative ({}: {})", where,
                      prompt.seed.value_or(0));
  require<UsageError>(!prompt.guidance_scale || *prompt.guidance_scale >= 0,
                      "sample: guidance must not be negative ({}: {})", where, prompt.guidance_scale.value_or(0));
  return prompt;
}

PicturePrompt parse_object(const Json& json, const std::string& where) {
  require<UsageError>(json.is_object() && json.find("prompt") && json.at("prompt").is_string(),
                      "sample: a line must be an object with a \"prompt\" ({})", where);
  PicturePrompt prompt;
  for (const auto& [key, value] : json.as_object()) {
    if (key == "prompt")
      prompt.text = value.as_string();
    else if (key == "negative_prompt")
      prompt.negative = value.as_string();
    else if (key == "width")
      prompt.width = value.as_integer();
    else if (key == "height")
      prompt.height = value.as_integer();
    else if (key == "seed")
      prompt.seed = value.as_integer();
    else if (key == "num_inference_steps")
      prompt.steps = value.as_integer();
    else if (key == "guidance_scale")
      prompt.guidance_scale = value.as_number();
    else
      raise<UsageError>("sample: unknown key \"{}\" ({})", key, where);
  }
  return checked(std::move(prompt), where);
}

}  // namespace

PicturePrompt parse_prompt_line(std::string_view line, const std::string& where) {
  // Options begin at " --" and reach to the next one.
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin < line.size();) {
    size_t next = line.find(" --", begin);
    next = next == std::string_view::npos ? line.size() : next + 1;
    parts.push_back(trimmed(line.substr(begin, next - begin)));
    begin = next;
  }
  PicturePrompt prompt;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i == 0 && !parts[i].starts_with("--")) {
      prompt.text = std::string(parts[i]);
      continue;
    }
    const size_t blank = std::min(parts[i].find(' '), parts[i].size());
    apply_option(prompt, parts[i].substr(0, blank), trimmed(parts[i].substr(blank)), where);
  }
  return checked(std::move(prompt), where);
}

std::vector<PicturePrompt> read_prompts(const std::filesystem::path& path) {
  constexpr uint64_t kMostBytes = uint64_t(1) << 26;
  const std::string text = read_file(path, kMostBytes);
  const bool json = path.extension() == ".jsonl";
  std::vector<PicturePrompt> prompts;
  int64_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = trimmed(std::string_view(text).substr(begin, end - begin));
    begin = end + 1;
    ++number;
    if (line.empty() || (!json && line.starts_with("#"))) continue;
    const std::string where = fmt::format("{}:{}", path.string(), number);
    prompts.push_back(json ? parse_object(Json::parse(line, where), where) : parse_prompt_line(line, where));
  }
  require<UsageError>(!prompts.empty(), "sample: there must be a prompt in --prompts ({})", path.string());
  return prompts;
}

}  // namespace plumb
