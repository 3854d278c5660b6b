#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace plumb::test {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;  // everything takes ten times as long
#else
inline constexpr bool kSanitized = false;
#endif

/// How often to try: few in every test run, fewer under a sanitizer, all when PLUMB_FAULTS=full (full.sh).
inline int64_t tries(int64_t few, int64_t full) {
  const char* wanted = std::getenv("PLUMB_FAULTS");
  if (wanted && std::string(wanted) == "full") return full;
  return kSanitized ? (few + 4) / 5 : few;
}

/// What was counted, a line that full.sh collects.
inline void count(const char* row, const std::string& text) { std::printf("%s: %s\n", row, text.c_str()); }

}  // namespace plumb::test
