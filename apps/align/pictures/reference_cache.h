#pragma once

#include <functional>
#include <memory>
#include <string>

#include "align/preference_step.h"
#include "apps/train/pictures/row_cache.h"

namespace plumb {

/// What frozen models make of the pairs of a run's first steps, made once and kept in files. Steps beyond them take
/// their draws, and with these their rows, again.
class ReferenceCache {
 public:
  struct Options {
    std::string folder = {};  ///< of the caches
    std::string key = {};     ///< hexadecimal digits, of everything the rows depend on
    int64_t steps = 0;        ///< made
    int64_t pairs = 0;        ///< of a step
    int64_t elements = 0;     ///< of a sample where targets are kept, else 0
    bool quiet = false;
  };
  /// Rows of a step, on any device.
  using Make = std::function<FrozenRows(int64_t step)>;

  /// Makes what is not there. Throws IoError, and what `make` throws.
  ReferenceCache(const Options& options, const Make& make);

  /// Rows of a step, on the CPU.
  FrozenRows at(int64_t step) const;

 private:
  int64_t pairs_;
  std::unique_ptr<train::RowCache> rows_;
};

/// Steps in which every pair is seen `draws` times; in the last of them some are seen once more.
int64_t steps_of_draws(int64_t draws, int64_t pairs, int64_t pairs_a_step);

}  // namespace plumb
