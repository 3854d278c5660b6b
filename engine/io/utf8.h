#pragma once

#include <cstdint>
#include <string_view>

namespace plumb {

/// Whether `text` is well-formed UTF-8: shortest forms only, no surrogates, nothing above U+10FFFF.
inline bool is_utf8(std::string_view text) {
  const auto continues = [&](size_t i) { return i < text.size() && (uint8_t(text[i]) & 0xC0) == 0x80; };
  for (size_t i = 0; i < text.size();) {
    const uint8_t first = uint8_t(text[i]);
    const uint8_t second = i + 1 < text.size() ? uint8_t(text[i + 1]) : 0;
    size_t length = 0;
    if (first < 0x80) {
      length = 1;
    } else if (first >= 0xC2 && first <= 0xDF) {
      length = 2;
    } else if (first >= 0xE0 && first <= 0xEF) {
      if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return false;
      length = 3;
    } else if (first >= 0xF0 && first <= 0xF4) {
      if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return false;
      length = 4;
    } else {
      return false;
    }
    for (size_t k = 1; k < length; ++k)
      if (!continues(i + k)) return false;
    i += length;
  }
  return true;
}

}  // namespace plumb
