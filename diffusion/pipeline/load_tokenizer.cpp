#include <unistd.h>

#include "diffusion/pipeline/pipeline_parts.h"
#include "engine/io/file.h"
#include "engine/require.h"

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

/// A folder for the moment; removed at the end of the scope.
class PassingFolder {
 public:
  PassingFolder() {
    std::string name = (fs::temp_directory_path() / "plumb-tokenizer-XXXXXX").string();
    require<IoError>(::mkdtemp(name.data()) != nullptr, "tokenizer: cannot make a folder; {}", name);
    path_ = name;
  }
  PassingFolder(const PassingFolder&) = delete;
  PassingFolder& operator=(const PassingFolder&) = delete;
  ~PassingFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace

void load_tokenizer(const fs::path& folder, const std::string& name, Pipeline& pipeline) {
  (name == "tokenizer" ? pipeline.tokenizer : pipeline.tokenizer_2) = ClipTokenizer::load(folder);
  for (const char* file : {"vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json",
                           "added_tokens.json", "tokenizer.json"})
    if (is_file(folder / file)) pipeline.tokenizer_files[name + "/" + file] = read_file(folder / file);
}

void load_tokenizers(const fs::path& folder, bool second, Pipeline& pipeline) {
  const bool nested = is_file(folder / "tokenizer" / "vocab.json") || is_file(folder / "tokenizer" / "tokenizer.json");
  const fs::path first = nested ? folder / "tokenizer" : folder;
  load_tokenizer(first, "tokenizer", pipeline);
  if (!second) return;
  std::error_code ignored;
  if (nested && fs::is_directory(folder / "tokenizer_2", ignored))
    return load_tokenizer(folder / "tokenizer_2", "tokenizer_2", pipeline);
  const PassingFolder made;
  for (const char* file : {"vocab.json", "merges.txt"})
    write_file_atomic(made.path() / file, std::string_view(read_file(first / file)));
  write_file_atomic(made.path() / "tokenizer_config.json", std::string_view(kSecondTokenizer));
  load_tokenizer(made.path(), "tokenizer_2", pipeline);
}

}  // namespace plumb
