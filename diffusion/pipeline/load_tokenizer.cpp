#include "diffusion/pipeline/pipeline_parts.h"
#include "nn/clip/tokenizer_files.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

/// SDXL's second tokenizer has the first one's tokens, and pads with another.
constexpr const char* kSecondTokenizer = R"({
  "bos_token": "<|startoftext|>",
  "eos_token": "<|endoftext|>",
  "model_max_length": 77,
  "pad_token": "!",
  "tokenizer_class": "CLIPTokenizer",
  "unk_token": "<|endoftext|>"
}
)";

void put_tokenizer(const FileContents& contents, const std::string& where, const std::string& name,
                   Pipeline& pipeline) {
  (name == "tokenizer" ? pipeline.tokenizer : pipeline.tokenizer_2) = ClipTokenizer::from_files(contents, where);
  for (const auto& [file, content] : contents) pipeline.tokenizer_files[name + "/" + file] = content;
}

}  // namespace

void load_tokenizer(const fs::path& folder, const std::string& name, Pipeline& pipeline) {
  put_tokenizer(tokenizer_contents(folder), folder.string(), name, pipeline);
}

void load_tokenizers(const fs::path& folder, bool second, Pipeline& pipeline) {
  const bool nested = is_file(folder / "tokenizer" / "vocab.json") || is_file(folder / "tokenizer" / "tokenizer.json");
  const fs::path first = nested ? folder / "tokenizer" : folder;
  load_tokenizer(first, "tokenizer", pipeline);
  if (!second) return;
  std::error_code ignored;
  if (nested && fs::is_directory(folder / "tokenizer_2", ignored))
    return load_tokenizer(folder / "tokenizer_2", "tokenizer_2", pipeline);
  FileContents contents{{"tokenizer_config.json", kSecondTokenizer}};
  for (auto& [file, content] : tokenizer_contents(first))
    if (file == "vocab.json" || file == "merges.txt") contents[file] = content;
  put_tokenizer(contents, first.string(), "tokenizer_2", pipeline);
}

}  // namespace plumb
