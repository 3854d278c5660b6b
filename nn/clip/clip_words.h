#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// How CLIP's tokenizer cuts a text into words, before byte pairs are looked for in each.

namespace plumb {

std::string to_utf8(std::u32string_view codes);

/// Normalisation form C, one space for white space, small letters. Throws ValueError unless the text is UTF-8.
std::string clip_normalised(std::string_view text);

/// Lengths of the words that begin at `at` of a normalised text: letters, one digit, signs, or an ending such as 's;
/// white space gives none. The special tokens' texts, where they were not found as tokens, are words whose three parts
/// are words.
std::vector<size_t> clip_words_at(std::u32string_view text, size_t at);

/// The words of a text, normalised, in order. Throws ValueError unless it is UTF-8.
std::vector<std::string> clip_words(std::string_view text);

}  // namespace plumb
