#pragma once

#include <string>
#include <string_view>

// The little of Unicode that a tokenizer needs. The answers are those of the tokenizers package, which the reference
// is built on (nn/clip/unicode_tables.h).

namespace plumb {

/// The characters of a UTF-8 text. Throws ValueError unless it is well formed.
std::u32string from_utf8(std::string_view text);
/// Appends a character.
void append_utf8(std::string& text, char32_t code);

/// Regular expressions' \s, \p{L} and \p{N}.
bool is_space(char32_t code);
bool is_letter(char32_t code);
bool is_number(char32_t code);

/// Each character's lower case by itself: no rule of a language, and a final sigma is a sigma like any other.
std::u32string lower_case(std::u32string_view text);
/// Normalisation form C: canonically decomposed, marks in their order, then composed [Unicode Standard Annex 15].
std::u32string compose(std::u32string_view text);

}  // namespace plumb
