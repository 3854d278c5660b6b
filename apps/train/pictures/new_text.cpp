#include "apps/train/pictures/new_text.h"

#include "apps/common/exit_codes.h"
#include "engine/require.h"
#include "nn/clip/word_tokenizer.h"

namespace plumb::train {
namespace {

FileContents tokenizer_of(const PictureDataset& data) {
  std::vector<std::string> captions;
  for (const PictureSample& sample : data.samples) captions.push_back(sample.caption);
  try {
    return word_tokenizer(captions);
  } catch (const ValueError& error) {
    raise<UsageError>("train: --text_init needs captions: {}", error.what());
  }
}

ClipTextOptions text_options(bool tiny, const ClipTokenizer& tokenizer) {
  ClipTextOptions options{.vocab_size = tokenizer.size(),
                          .hidden_size = tiny ? 64 : 128,
                          .intermediate_size = tiny ? 256 : 512,
                          .projection_dim = tiny ? 64 : 128,
                          .num_hidden_layers = tiny ? 2 : 4,
                          .num_attention_heads = 4,
                          .max_position_embeddings = tokenizer.length()};
  options.bos_token_id = tokenizer.bos(), options.eos_token_id = tokenizer.eos();
  options.pad_token_id = tokenizer.pad();
  return options;
}

}  // namespace

void add_new_text(Pipeline& pipeline, const std::string& size, const PictureDataset& data, Generator& generator) {
  const FileContents files = tokenizer_of(data);
  pipeline.tokenizer = ClipTokenizer::from_files(files, "tokenizer");
  for (const auto& [name, bytes] : files) pipeline.tokenizer_files["tokenizer/" + name] = bytes;
  pipeline.text_encoder = std::make_unique<ClipTextModel>(text_options(size == "tiny", *pipeline.tokenizer), generator);
}

}  // namespace plumb::train
