#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/support/sanitized.h"

namespace plumb::test {

/// How often to try: few in every test run, fewer under a sanitizer, all when PLUMB_FAULTS=full (full.sh).
inline int64_t tries(int64_t few, int64_t full) {
  const char* wanted = std::getenv("PLUMB_FAULTS");
  if (wanted && std::string(wanted) == "full") return full;
  return kSanitized ? (few + 4) / 5 : few;
}

/// What was counted, a line that full.sh collects.
inline void count(const char* row, const std::string& text) { std::printf("%s: %s\n", row, text.c_str()); }

}  // namespace plumb::test
