#include "nn/clip/tokenizer.h"

#include <algorithm>
#include <utility>

#include "engine/io/file.h"
#include "engine/require.h"
#include "nn/clip/clip_words.h"
#include "nn/clip/unicode.h"

namespace plumb {
namespace {

/// Bytes of the longest beginning of `text` that well-formed UTF-8 could go on from, at least 1.
size_t broken_length(std::string_view text) {
  const auto lead = uint8_t(text[0]);
  const size_t whole = lead < 0xC2 || lead > 0xF4 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  size_t length = 1;
  while (length < whole && length < text.size()) {
    const auto byte = uint8_t(text[length]);
    uint8_t low = 0x80, high = 0xBF;
    if (length == 1 && lead == 0xE0) low = 0xA0;
    if (length == 1 && lead == 0xED) high = 0x9F;
    if (length == 1 && lead == 0xF0) low = 0x90;
    if (length == 1 && lead == 0xF4) high = 0x8F;
    if (byte < low || byte > high) break;
    ++length;
  }
  return length;
}

/// U+FFFD for what is not UTF-8, one for each broken beginning of a character.
std::string repaired(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const auto lead = uint8_t(bytes[0]);
    const size_t whole = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    const size_t length = lead < 0x80 ? 1 : broken_length(bytes);
    const bool is_whole = length == whole && (lead < 0x80 || (lead >= 0xC2 && lead <= 0xF4));
    text += is_whole ? std::string(bytes.substr(0, length)) : "\xEF\xBF\xBD";
    bytes.remove_prefix(length);
  }
  return text;
}

/// A space for each end of a word.
std::string with_spaces(std::string_view text) {
  constexpr std::string_view end_of_word = "</w>";
  std::string result;
  while (!text.empty()) {
    const bool is_end = text.starts_with(end_of_word);
    result += is_end ? ' ' : text[0];
    text.remove_prefix(is_end ? end_of_word.size() : 1);
  }
  return result;
}

/// Without white space at either end. Here the four separators U+001C to U+001F count, too.
std::string stripped(const std::string& text) {
  const std::u32string codes = from_utf8(text);
  const auto is_white = [](char32_t code) { return is_space(code) || (code >= 0x1C && code <= 0x1F); };
  size_t begin = 0, end = codes.size();
  while (begin < end && is_white(codes[begin])) ++begin;
  while (end > begin && is_white(codes[end - 1])) --end;
  return to_utf8(std::u32string_view(codes).substr(begin, end - begin));
}

}  // namespace

ClipTokenizer::ClipTokenizer(TokenizerFiles files)
    : files_(std::move(files)), pairs_(files_.vocabulary, files_.merges), bos_(0), eos_(0), pad_(0), unknown_(0) {
  for (const AddedToken& token : files_.added) add(token);
  files_.vocabulary.clear(), files_.merges.clear();
  bos_ = id_of(files_.bos), eos_ = id_of(files_.eos), pad_ = id_of(files_.pad), unknown_ = id_of(files_.unknown);
}

ClipTokenizer ClipTokenizer::from_files(const FileContents& contents, const std::string& where) {
  TokenizerFiles files = read_tokenizer_files(contents, where);
  try {
    return ClipTokenizer(std::move(files));
  } catch (const ValueError& error) {
    throw ValueError(where + ": " + error.what());
  }
}

ClipTokenizer ClipTokenizer::load(const std::filesystem::path& folder) {
  return from_files(tokenizer_contents(folder), folder.string());
}

/// A token that the vocabulary lacks gets the next free id.
void ClipTokenizer::add(const AddedToken& token) {
  require<ValueError>(!token.content.empty(), "added tokens: a token must not be empty");
  int64_t id = pairs_.id_of(token.content), next = pairs_.size();
  for (const Added& each : added_) {
    next = std::max(next, each.id + 1);
    if (each.content == token.content) id = each.id;
  }
  std::erase_if(added_, [&](const Added& each) { return each.content == token.content; });
  added_.push_back({.id = id >= 0 ? id : next,
                    .pattern = token.normalized ? clip_normalised(token.content) : token.content,
                    .content = token.content,
                    .normalized = token.normalized,
                    .special = token.special});
}

int64_t ClipTokenizer::id_of(const std::string& token) const {
  for (const Added& each : added_)
    if (each.content == token) return each.id;
  raise<ValueError>("tokenizer: there is no token \"{}\"", token);
}

int64_t ClipTokenizer::size() const {
  int64_t size = pairs_.size();
  for (const Added& each : added_) size = std::max(size, each.id + 1);
  return size;
}

/// The leftmost added token of this kind, the longest of those that begin there; null when there is none.
const ClipTokenizer::Added* ClipTokenizer::find(std::string_view text, bool normalized, size_t& at) const {
  const Added* best = nullptr;
  at = text.size();
  for (const Added& each : added_) {
    if (each.normalized != normalized) continue;
    const size_t found = text.find(each.pattern);
    if (found == std::string_view::npos || found > at) continue;
    if (!best || found < at || each.pattern.size() > best->pattern.size()) best = &each, at = found;
  }
  return best;
}

/// Tokens that are found in the text as it was written, then, in what lies between, those of the normalised text.
void ClipTokenizer::encode_part(std::string_view text, bool normalized, std::vector<int64_t>& ids) const {
  while (!text.empty()) {
    size_t at = 0;
    const Added* token = find(text, normalized, at);
    if (normalized)
      encode_words(text.substr(0, at), ids);
    else if (at > 0)
      encode_part(clip_normalised(text.substr(0, at)), true, ids);
    if (!token) return;
    ids.push_back(token->id);
    text.remove_prefix(at + token->pattern.size());
  }
}

void ClipTokenizer::encode_words(std::string_view text, std::vector<int64_t>& ids) const {
  const std::u32string codes = from_utf8(text);
  for (size_t at = 0; at < codes.size();) {
    const std::vector<size_t> words = clip_words_at(codes, at);
    if (words.empty()) ++at;
    for (const size_t length : words) {
      pairs_.encode(to_utf8(std::u32string_view(codes).substr(at, length)), unknown_, ids);
      at += length;
    }
  }
}

std::vector<int64_t> ClipTokenizer::encode(std::string_view text) const {
  from_utf8(text);  // parts are cut at tokens, so that only the whole is sure to be well formed
  std::vector<int64_t> ids{bos_};
  encode_part(text, false, ids);
  ids.push_back(eos_);
  return ids;
}

std::vector<int64_t> ClipTokenizer::encode(std::string_view text, int64_t length) const {
  require<ValueError>(length >= 2, "tokenizer: length must be at least 2 ({})", length);
  std::vector<int64_t> ids = encode(text);
  if (int64_t(ids.size()) > length) {
    ids.resize(size_t(length));
    ids.back() = eos_;
  }
  ids.resize(size_t(length), pad_);
  return ids;
}

Tensor ClipTokenizer::encode(std::span<const std::string> texts) const {
  std::vector<int64_t> rows;
  for (const std::string& text : texts) {
    const std::vector<int64_t> row = encode(text, length());
    rows.insert(rows.end(), row.begin(), row.end());
  }
  return from_vector(rows, {int64_t(texts.size()), length()});
}

std::string ClipTokenizer::decode(std::span<const int64_t> ids, bool skip_special) const {
  std::string bytes;
  for (const int64_t id : ids) {
    const auto found = std::find_if(added_.begin(), added_.end(), [&](const Added& each) { return each.id == id; });
    if (found != added_.end() && found->special && skip_special) continue;
    bytes += BytePairs::bytes_of(found != added_.end() ? found->pattern : pairs_.token_of(id));
  }
  return stripped(with_spaces(repaired(bytes)));
}

void ClipTokenizer::save(const std::filesystem::path& folder) const {
  std::filesystem::create_directories(folder);
  for (const auto& [name, bytes] : files_.contents) write_file_atomic(folder / name, bytes);
}

}  // namespace plumb
