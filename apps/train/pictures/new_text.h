#pragma once

#include <string>

#include "diffusion/pipeline/pipeline.h"
#include "nn/data/picture_dataset.h"

namespace plumb::train {

/// Gives the pipeline a tokenizer of the captions' words (nn/clip/word_tokenizer.h) and a new text encoder behind it:
/// tiny (2 layers of 64 features) or small (4 of 128). Throws UsageError when the captions have no words.
void add_new_text(Pipeline& pipeline, const std::string& size, const PictureDataset& data, Generator& generator);

}  // namespace plumb::train
