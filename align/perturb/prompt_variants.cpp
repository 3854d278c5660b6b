#include "align/perturb/prompt_variants.h"

#include "engine/format.h"
#include "engine/io/file.h"
#include "engine/io/json.h"
#include "engine/random/fills.h"
#include "engine/require.h"

namespace plumb {
namespace {

struct Rewrite {
  std::string prompt;
  std::vector<std::string> variants;
};

const Json& member(const Json& line, const char* key, const std::string& where) {
  require<ValueError>(line.is_object(), "{}: must be a JSON object ({})", where, line.dump());
  const Json* found = line.find(key);
  require<ValueError>(found, "{}: \"{}\" is missing", where, key);
  return *found;
}

Rewrite parse_line(std::string_view text, const std::string& where) {
  require<ValueError>(text.find_first_not_of(" \t\r") != text.npos, "{}: the line is empty", where);
  const Json line = Json::parse(text, where);
  const Json &prompt = member(line, "prompt", where), &list = member(line, "neg_prompts", where);
  require<ValueError>(prompt.is_string(), "{}: \"prompt\" must be a string ({})", where, prompt.dump());
  require<ValueError>(list.is_array() && list.size() > 0,
                      "{}: \"neg_prompts\" must be a list of at least one string ({})", where, list.dump());
  Rewrite rewrite{.prompt = prompt.as_string(), .variants = {}};
  for (const Json& variant : list.as_array()) {
    require<ValueError>(variant.is_string(), "{}: \"neg_prompts\" must hold strings ({})", where, variant.dump());
    rewrite.variants.push_back(variant.as_string());
  }
  return rewrite;
}

}  // namespace

void PromptVariants::add(std::string prompt, std::vector<std::string> variants) {
  require<ValueError>(variants_.find(prompt) == variants_.end(), "prompt variants: the prompt is known already ({})",
                      prompt);
  variants_.emplace(std::move(prompt), std::move(variants));
}

const std::vector<std::string>* PromptVariants::find(std::string_view prompt) const {
  const auto found = variants_.find(prompt);
  return found == variants_.end() ? nullptr : &found->second;
}

const std::string& PromptVariants::draw(std::string_view prompt, const RandomKey& key) const {
  const std::vector<std::string>* variants = find(prompt);
  require<ValueError>(variants, "prompt variants: unknown prompt ({})", prompt);
  require<ValueError>(!variants->empty(), "prompt variants: the prompt has no degraded version ({})", prompt);
  int64_t index = 0;
  fill_randint(key, {1, 1}, 0, int64_t(variants->size()), &index);
  return (*variants)[size_t(index)];
}

PromptVariants remove_words(const std::vector<std::string>& prompts, const RandomKey& key,
                            const RandomRemovalOptions& options) {
  PromptVariants result;
  for (const std::string& prompt : prompts)
    if (!result.find(prompt)) result.add(prompt, random_removal(prompt, key, options));
  return result;
}

PromptVariants read_rewrites(const std::filesystem::path& path) {
  const std::string text = read_file(path);
  PromptVariants result;
  std::map<std::string, int64_t> lines;
  int64_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string where = fmt::format("{}:{}", path.string(), ++number);
    Rewrite rewrite = parse_line(std::string_view(text).substr(begin, end - begin), where);
    const auto [known, fresh] = lines.emplace(rewrite.prompt, number);
    require<ValueError>(fresh, "{}: the prompt of line {} again ({})", where, known->second, rewrite.prompt);
    result.add(std::move(rewrite.prompt), std::move(rewrite.variants));
    begin = end + 1;
  }
  require<ValueError>(result.size() > 0, "{}: the file holds no prompt", path.string());
  return result;
}

}  // namespace plumb
