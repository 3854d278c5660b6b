#pragma once

#include <cstdint>
#include <span>

// Tables behind nn/clip/unicode.h, sorted by code; made by tests/golden/make_unicode_tables.py.

namespace plumb {

/// All from first to last.
struct CodeRange {
  char32_t first, last;
};
/// first, first + step, … last become difference more.
struct LowerRun {
  char32_t first, last;
  uint32_t step;
  int32_t difference;
};
/// A character whose lower case is two.
struct LowerPair {
  char32_t code, first, second;
};
struct CombiningRange {
  char32_t first, last;
  uint8_t combining_class;
};
/// One step of the canonical decomposition; second is 0 where there is one part. `composes`: the parts give it back.
struct Decomposition {
  char32_t code, first, second;
  bool composes;
};

extern const std::span<const CodeRange> kSpaces, kNumbers, kLetters;
extern const std::span<const LowerRun> kLowerRuns;
extern const std::span<const LowerPair> kLowerPairs;
extern const std::span<const CombiningRange> kCombining;
extern const std::span<const Decomposition> kDecompositions;

}  // namespace plumb
