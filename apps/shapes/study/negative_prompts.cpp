#include "apps/shapes/study/negative_prompts.h"

#include "align/perturb/random_removal.h"
#include "apps/shapes/study/json_lines.h"
#include "nn/data/metadata_file.h"

namespace plumb::study {

void write_negative_prompts(const std::string& from, const std::string& to, const RandomKey& key) {
  std::vector<Json> lines;
  for (MetadataRow& row : read_metadata(from)) lines.push_back(std::move(row.fields));
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::vector<std::string> variants =
        random_removal(lines[i].at("prompt").as_string(), key.at_sample(uint64_t(i)), {.variants = 1});
    lines[i].set("negative_prompt", variants.empty() ? "" : variants.front());
  }
  write_json_lines(to, lines);
}

}  // namespace plumb::study
