#include "apps/shapes/study/negative_prompts.h"

#include "align/perturb/random_removal.h"
#include "apps/shapes/study/json_lines.h"

namespace plumb::study {

void write_negative_prompts(const std::string& from, const std::string& to, const RandomKey& key) {
  std::vector<Json> lines = read_json_lines(from);
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::vector<std::string> variants =
        random_removal(lines[i].at("prompt").as_string(), key.at_sample(uint64_t(i)), {.variants = 1});
    lines[i].set("negative_prompt", variants.empty() ? "" : variants.front());
  }
  write_json_lines(to, lines);
}

}  // namespace plumb::study
