#include "nn/clip/tokenizer_files.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "engine/io/file.h"
#include "engine/io/json.h"
#include "engine/require.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFiles[] = {
    "vocab.json",       "merges.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json"};

/// The files and where they come from.
struct Folder {
  const FileContents& contents;
  std::string path;

  bool has(const char* name) const { return contents.count(name) > 0; }
  std::string where(const char* name) const { return (fs::path(path) / name).string(); }
  /// An empty object for a file that is not there.
  Json json(const char* name) const { return has(name) ? Json::parse(contents.at(name), where(name)) : Json::object(); }
};

bool flag(const Json& token, const char* key, bool otherwise) {
  const Json* value = token.find(key);
  return value ? value->as_bool() : otherwise;
}

/// A token as these files write it: its text, or an object. `special`: what an object that does not say so is.
AddedToken added_token(const std::string& where, const Json& from, bool special) {
  if (from.is_string()) return {.content = from.as_string()};
  AddedToken token{.content = from.at("content").as_string(), .special = flag(from, "special", special)};
  token.normalized = flag(from, "normalized", !token.special);
  for (const char* key : {"lstrip", "rstrip", "single_word"})
    require<ValueError>(!flag(from, key, false), "{}: {} of a token is not supported (\"{}\")", where, key,
                        token.content);
  return token;
}

BytePairs::Vocabulary read_vocabulary(const Json& object) {
  BytePairs::Vocabulary vocabulary;
  for (const JsonMember& member : object.as_object()) vocabulary.emplace_back(member.key, member.value.as_integer());
  return vocabulary;
}

/// "left right".
std::pair<std::string, std::string> read_merge(const std::string& where, int64_t number, std::string_view line) {
  const size_t space = line.find(' ');
  require<IoError>(space != std::string_view::npos && space > 0 && space + 1 < line.size() &&
                       line.find(' ', space + 1) == std::string_view::npos,
                   "{}: a merge must be two tokens (line {}: \"{}\")", where, number, line);
  return {std::string(line.substr(0, space)), std::string(line.substr(space + 1))};
}

BytePairs::Merges read_merge_lines(const std::string& where, std::string_view text) {
  BytePairs::Merges merges;
  for (int64_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("#version") || (line.empty() && text.empty())) continue;
    merges.push_back(read_merge(where, number, line));
  }
  return merges;
}

BytePairs::Merges read_merges(const std::string& where, const Json& list) {
  BytePairs::Merges merges;
  for (const Json& merge : list.as_array()) {
    if (merge.is_string())
      merges.push_back(read_merge(where, int64_t(merges.size()) + 1, merge.as_string()));
    else
      merges.emplace_back(merge[0].as_string(), merge[1].as_string());
  }
  return merges;
}

/// Tokens by their numbers, as tokenizer_config.json and tokenizer.json list them.
using Numbered = std::map<int64_t, AddedToken>;

Numbered from_config(const std::string& where, const Json& list) {
  Numbered tokens;
  for (const JsonMember& member : list.as_object()) {
    char* end = nullptr;
    const int64_t id = std::strtoll(member.key.c_str(), &end, 10);
    require<ValueError>(!member.key.empty() && *end == '\0', "{}: added_tokens_decoder: \"{}\" is no number", where,
                        member.key);
    tokens[id] = added_token(where, member.value, false);
  }
  return tokens;
}

Numbered from_tokenizer_json(const std::string& where, const Json& tokenizer) {
  Numbered tokens;
  if (const Json* list = tokenizer.find("added_tokens"))
    for (const Json& token : list->as_array()) tokens[token.at("id").as_integer()] = added_token(where, token, false);
  return tokens;
}

constexpr const char* kRoles[] = {"bos_token", "eos_token", "unk_token", "pad_token"};

std::string& content_of(TokenizerFiles& files, std::string_view role) {
  if (role == "bos_token") return files.bos;
  if (role == "eos_token") return files.eos;
  return role == "unk_token" ? files.unknown : files.pad;
}

/// Named tokens behind the numbered ones, unless they are among them.
void add_tokens(TokenizerFiles& files, const Numbered& numbered, const std::vector<AddedToken>& named) {
  for (const auto& [id, token] : numbered) files.added.push_back(token);
  for (AddedToken token : named) {
    token.special = true;
    const auto is_same = [&](const auto& entry) { return entry.second.content == token.content; };
    const auto found = std::find_if(numbered.begin(), numbered.end(), is_same);
    if (found == numbered.end())
      files.added.push_back(token);
    else
      files.added[size_t(std::distance(numbered.begin(), found))].special = true;
  }
}

void read_length(const std::string& where, const Json& config, TokenizerFiles& files) {
  const Json* length = config.find("model_max_length");
  if (!length || length->is_null()) return;
  files.length = length->as_integer();
  require<ValueError>(files.length >= 2, "{}: model_max_length must be at least 2 ({})", where, files.length);
}

void read_tokens(const Folder& folder, const Json& tokenizer, TokenizerFiles& files) {
  const std::string where = folder.where("tokenizer_config.json");
  const Json config = folder.json("tokenizer_config.json"), map = folder.json("special_tokens_map.json");
  read_length(where, config, files);
  const Json* side = config.find("padding_side");
  require<ValueError>(!side || *side == Json("right"), "{}: padding_side is not supported unless it is right", where);
  const Json* decoder = config.find("added_tokens_decoder");
  Numbered numbered = decoder ? from_config(where, *decoder) : from_tokenizer_json(where, tokenizer);
  std::vector<AddedToken> named;
  for (const char* role : kRoles) {
    AddedToken token{.content = content_of(files, role)};
    const Json* in_config = config.find(role);
    const Json* in_map = decoder ? nullptr : map.find(role);
    if (in_map)
      token = added_token(folder.where("special_tokens_map.json"), *in_map, true);
    else if (in_config)
      token = added_token(where, *in_config, false);
    content_of(files, role) = token.content;
    named.push_back(token);
  }
  for (const char* key : {"additional_special_tokens", "extra_special_tokens"})
    if (const Json* more = config.find(key); more && more->is_array())
      for (const Json& token : more->as_array()) named.push_back(added_token(where, token, true));
  if (!decoder) {
    const Json more = folder.json("added_tokens.json");
    for (const JsonMember& member : more.as_object()) {
      const auto is_same = [&](const AddedToken& token) { return token.content == member.key; };
      const bool special = std::any_of(named.begin(), named.end(), is_same);
      numbered[member.value.as_integer()] = {member.key, !special, special};
    }
  }
  add_tokens(files, numbered, named);
}

}  // namespace

TokenizerFiles read_tokenizer_files(const FileContents& contents, const std::string& path) {
  const Folder folder{contents, path};
  TokenizerFiles files;
  for (const char* name : kFiles)
    if (folder.has(name)) files.contents[name] = contents.at(name);
  const Json tokenizer = folder.json("tokenizer.json");
  if (folder.has("tokenizer.json")) {
    const std::string where = folder.where("tokenizer.json");
    const Json& model = tokenizer.at("model");
    const Json* type = model.find("type");
    require<ValueError>(!type || *type == Json("BPE"), "{}: the model must be BPE", where);
    files.vocabulary = read_vocabulary(model.at("vocab"));
    files.merges = read_merges(where, model.at("merges"));
  } else {
    require<IoError>(folder.has("vocab.json") && folder.has("merges.txt"),
                     "{}: no tokenizer here; there must be vocab.json and merges.txt, or tokenizer.json", path);
    files.vocabulary = read_vocabulary(folder.json("vocab.json"));
    files.merges = read_merge_lines(folder.where("merges.txt"), contents.at("merges.txt"));
  }
  read_tokens(folder, tokenizer, files);
  return files;
}

FileContents tokenizer_contents(const fs::path& folder) {
  FileContents contents;
  for (const char* name : kFiles)
    if (fs::is_regular_file(folder / name)) contents[name] = read_file(folder / name);
  return contents;
}

}  // namespace plumb
