#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "align/objective.h"

namespace plumb {

/// Reads typed options out of ObjectiveSettings; finish() refuses what nobody asked for.
///   OptionReader read("ddspo", settings);
///   const double beta = read.non_negative("beta", 2000);
///   read.finish();
class OptionReader {
 public:
  OptionReader(std::string_view objective, const ObjectiveSettings& settings);

  /// A finite number. Throws ValueError otherwise.
  double number(std::string_view key, double fallback);
  /// A finite number >= 0.
  double non_negative(std::string_view key, double fallback);
  /// Index of the value among `choices`. Throws ValueError listing them.
  size_t choice(std::string_view key, const std::vector<std::string_view>& choices, size_t fallback);
  /// Throws ValueError for a key that was never read, listing those that were, and for a key given twice.
  void finish() const;

 private:
  const std::string* find(std::string_view key);

  std::string objective_;
  const ObjectiveSettings& settings_;
  std::vector<std::string> known_;
};

/// `reduction = mean | sum`, the per-sample error's.
Reduction read_reduction(OptionReader& read);

}  // namespace plumb
