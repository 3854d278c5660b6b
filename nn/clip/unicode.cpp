#include "nn/clip/unicode.h"

#include <algorithm>
#include <map>
#include <utility>

#include "engine/io/utf8.h"
#include "engine/require.h"
#include "nn/clip/unicode_tables.h"

namespace plumb {
namespace {

// Syllables of Hangul are composed by arithmetic: leading consonant, vowel, optional trailing consonant.
constexpr char32_t kSyllable = 0xAC00, kLeading = 0x1100, kVowel = 0x1161, kTrailing = 0x11A7;
constexpr char32_t kLeadings = 19, kVowels = 21, kTrailings = 28, kSyllables = kLeadings * kVowels * kTrailings;

/// The last entry that begins at or before `code`; null when there is none. `begin_of` gives where an entry begins.
template <class T, class F>
const T* entry_before(std::span<const T> table, char32_t code, F begin_of) {
  const auto after = std::upper_bound(table.begin(), table.end(), code,
                                      [&](char32_t value, const T& entry) { return value < begin_of(entry); });
  return after == table.begin() ? nullptr : &*(after - 1);
}

template <class T>
const T* range_of(std::span<const T> table, char32_t code) {
  const T* range = entry_before(table, code, [](const T& each) { return each.first; });
  return range && code <= range->last ? range : nullptr;
}

template <class T>
const T* entry_of(std::span<const T> table, char32_t code) {
  const T* entry = entry_before(table, code, [](const T& each) { return each.code; });
  return entry && entry->code == code ? entry : nullptr;
}

uint8_t class_of(char32_t code) {
  const CombiningRange* range = range_of(kCombining, code);
  return range ? range->combining_class : 0;
}

void decompose(char32_t code, std::u32string& out) {
  if (code >= kSyllable && code < kSyllable + kSyllables) {
    const char32_t index = code - kSyllable, trailing = index % kTrailings;
    out += kLeading + index / (kVowels * kTrailings);
    out += kVowel + index / kTrailings % kVowels;
    if (trailing != 0) out += kTrailing + trailing;
    return;
  }
  const Decomposition* parts = entry_of(kDecompositions, code);
  if (!parts) {
    out += code;
    return;
  }
  decompose(parts->first, out);
  if (parts->second != 0) decompose(parts->second, out);
}

/// The character that two make, or 0.
char32_t composed(char32_t first, char32_t second) {
  if (first >= kLeading && first < kLeading + kLeadings && second >= kVowel && second < kVowel + kVowels)
    return kSyllable + ((first - kLeading) * kVowels + (second - kVowel)) * kTrailings;
  const bool is_open = first >= kSyllable && first < kSyllable + kSyllables && (first - kSyllable) % kTrailings == 0;
  if (is_open && second > kTrailing && second < kTrailing + kTrailings) return first + (second - kTrailing);
  static const auto pairs = [] {
    std::map<std::pair<char32_t, char32_t>, char32_t> result;
    for (const Decomposition& each : kDecompositions)
      if (each.composes) result[{each.first, each.second}] = each.code;
    return result;
  }();
  const auto found = pairs.find({first, second});
  return found == pairs.end() ? 0 : found->second;
}

/// Marks that follow a character, each run by class.
void order_marks(std::u32string& text) {
  for (size_t begin = 0; begin < text.size(); ++begin) {
    if (class_of(text[begin]) == 0) continue;
    size_t end = begin;
    while (end < text.size() && class_of(text[end]) != 0) ++end;
    std::stable_sort(text.begin() + int64_t(begin), text.begin() + int64_t(end),
                     [](char32_t a, char32_t b) { return class_of(a) < class_of(b); });
    begin = end;
  }
}

}  // namespace

std::u32string from_utf8(std::string_view text) {
  require<ValueError>(is_utf8(text), "text: must be UTF-8");
  std::u32string codes;
  for (size_t i = 0; i < text.size();) {
    const auto lead = uint8_t(text[i]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t code = length == 1 ? lead : lead & (0x7Fu >> length);
    for (size_t k = 1; k < length; ++k) code = code << 6 | (uint8_t(text[i + k]) & 0x3Fu);
    codes += code;
    i += length;
  }
  return codes;
}

void append_utf8(std::string& text, char32_t code) {
  if (code < 0x80) {
    text += char(code);
    return;
  }
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  text += char(0xFF00u >> (more + 1) | code >> (6 * more));
  for (int k = more - 1; k >= 0; --k) text += char(0x80u | (code >> (6 * k) & 0x3Fu));
}

bool is_space(char32_t code) { return range_of(kSpaces, code); }
bool is_letter(char32_t code) { return range_of(kLetters, code); }
bool is_number(char32_t code) { return range_of(kNumbers, code); }

std::u32string lower_case(std::u32string_view text) {
  std::u32string result;
  for (const char32_t code : text) {
    if (const LowerPair* pair = entry_of(kLowerPairs, code)) {
      result += {pair->first, pair->second};
      continue;
    }
    const LowerRun* run = range_of(kLowerRuns, code);
    const bool changes = run && (code - run->first) % run->step == 0;
    result += changes ? char32_t(int64_t(code) + run->difference) : code;
  }
  return result;
}

std::u32string compose(std::u32string_view text) {
  std::u32string parts;
  for (const char32_t code : text) decompose(code, parts);
  order_marks(parts);
  std::u32string result;
  size_t starter = std::u32string::npos;  // in result: what a mark may be composed with
  uint8_t last_class = 0;                 // of what lies between it and the present character; 0: nothing
  for (const char32_t code : parts) {
    const uint8_t present = class_of(code);
    const bool is_free =
        starter != std::u32string::npos && (starter + 1 == result.size() || (last_class != 0 && last_class < present));
    const char32_t whole = is_free ? composed(result[starter], code) : 0;
    if (whole != 0) {
      result[starter] = whole;
      continue;
    }
    if (present == 0) starter = result.size();
    last_class = present;
    result += code;
  }
  return result;
}

}  // namespace plumb
