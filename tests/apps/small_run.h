#pragma once

#include <filesystem>
#include <string>

#include "apps/common/cli.h"

namespace plumb::test {

/// What runs of `train` and `align` on tiny pictures have in common: two steps of two samples are one update.
inline Arguments small_run(const std::filesystem::path& out, int64_t steps) {
  return {"--resolution",
          "16",
          "--train_batch_size",
          "2",
          "--gradient_accumulation_steps",
          "2",
          "--max_train_steps",
          std::to_string(steps),
          "--report_to",
          "none",
          "--quiet",
          "--threads",
          "2",
          "--out",
          out.string()};
}

}  // namespace plumb::test
