#pragma once

#include <string>

#include "apps/align/align.h"
#include "engine/io/file.h"
#include "tests/support/temp_dir.h"

namespace plumb::test {

/// A folder with a small model in `base` and data to align it with; runs of the verb in it.
struct AlignCase {
  TempDir dir;

  /// Two steps of two samples are one update; the exit code.
  int run(const std::string& data, const std::string& out, int64_t steps, const Arguments& more) const {
    Arguments words = {"--model",
                       (dir / "base").string(),
                       "--data",
                       (dir / data).string(),
                       "--out",
                       (dir / out).string(),
                       "--resolution",
                       "16",
                       "--train_batch_size",
                       "2",
                       "--gradient_accumulation_steps",
                       "2",
                       "--max_train_steps",
                       std::to_string(steps),
                       "--learning_rate",
                       "1e-4",
                       "--report_to",
                       "none",
                       "--quiet",
                       "--threads",
                       "2"};
    words.insert(words.end(), more.begin(), more.end());
    return run_align(words);
  }

  std::string weights(const std::string& out) const {
    return read_file(dir / out / "model/unet/diffusion_pytorch_model.safetensors");
  }
};

}  // namespace plumb::test
