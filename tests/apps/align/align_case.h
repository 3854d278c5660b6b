#pragma once

#include <string>

#include "apps/align/align.h"
#include "engine/io/file.h"
#include "tests/apps/small_run.h"
#include "tests/support/temp_dir.h"

namespace plumb::test {

/// A folder with a small model in `base` and data to align it with; runs of the verb in it.
struct AlignCase {
  TempDir dir;

  /// The exit code.
  int run(const std::string& data, const std::string& out, int64_t steps, const Arguments& more) const {
    Arguments words = small_run(dir / out, steps);
    words.insert(words.end(),
                 {"--model", (dir / "base").string(), "--data", (dir / data).string(), "--learning_rate", "1e-4"});
    words.insert(words.end(), more.begin(), more.end());
    return run_align(words);
  }

  std::string weights(const std::string& out) const {
    return read_file(dir / out / "model/unet/diffusion_pytorch_model.safetensors");
  }
};

}  // namespace plumb::test
