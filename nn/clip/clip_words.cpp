#include "nn/clip/clip_words.h"

#include <array>

#include "nn/clip/unicode.h"

namespace plumb {
namespace {

bool is_sign(char32_t code) { return !is_space(code) && !is_letter(code) && !is_number(code); }

/// Characters from `begin` on for which `belongs` holds.
template <class F>
size_t run(std::u32string_view text, size_t begin, F belongs) {
  size_t end = begin;
  while (end < text.size() && belongs(text[end])) ++end;
  return end - begin;
}

}  // namespace

std::string to_utf8(std::u32string_view codes) {
  std::string text;
  for (const char32_t code : codes) append_utf8(text, code);
  return text;
}

std::string clip_normalised(std::string_view text) {
  std::u32string spaced;
  for (const char32_t code : compose(from_utf8(text))) {
    if (!is_space(code))
      spaced += code;
    else if (spaced.empty() || spaced.back() != U' ')
      spaced += U' ';
  }
  return to_utf8(lower_case(spaced));
}

std::vector<size_t> clip_words_at(std::u32string_view text, size_t at) {
  constexpr std::array<std::u32string_view, 7> kEndings{U"'s", U"'t", U"'re", U"'ve", U"'m", U"'ll", U"'d"};
  const std::u32string_view rest = text.substr(at);
  if (rest.starts_with(U"<|startoftext|>")) return {2, 11, 2};
  if (rest.starts_with(U"<|endoftext|>")) return {2, 9, 2};
  for (const std::u32string_view ending : kEndings)
    if (rest.starts_with(ending)) return {ending.size()};
  if (is_letter(rest[0])) return {run(text, at, is_letter)};
  if (is_number(rest[0])) return {1};
  if (is_sign(rest[0])) return {run(text, at, is_sign)};
  return {};
}

std::vector<std::string> clip_words(std::string_view text) {
  const std::u32string codes = from_utf8(clip_normalised(text));
  std::vector<std::string> words;
  for (size_t at = 0; at < codes.size();) {
    const std::vector<size_t> lengths = clip_words_at(codes, at);
    if (lengths.empty()) ++at;
    for (const size_t length : lengths) {
      words.push_back(to_utf8(std::u32string_view(codes).substr(at, length)));
      at += length;
    }
  }
  return words;
}

}  // namespace plumb
