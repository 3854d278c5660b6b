#include <map>

#include "align/data/preference_layouts.h"
#include "engine/error.h"
#include "engine/io/file.h"
#include "engine/io/json.h"
#include "engine/io/tar.h"
#include "engine/io/utf8.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// A member's name: path up to the first dot of the name, and the part it is, without an extension of its own
/// ("jpg_0.jpg" is jpg_0). Both empty for what is no part.
struct PartName {
  std::string key, part;
};

PartName part_name(const std::string& name) {
  const size_t slash = name.rfind('/');
  const size_t begin = slash == name.npos ? 0 : slash + 1;
  const size_t dot = name.find('.', begin);
  if (dot == name.npos || dot == begin) return {};
  std::string part = name.substr(dot + 1);
  for (char& c : part)
    if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
  if (const size_t second = part.find('.'); second != part.npos) part.resize(second);
  for (const char* kind : {"jpeg_", "png_"})
    if (part.starts_with(kind)) part = "jpg_" + part.substr(std::string_view(kind).size());
  return {name.substr(0, dot), part};
}

class PreferenceShards {
 public:
  explicit PreferenceShards(const PreferenceDatasetOptions& options) : rows_("pick-a-pic", options) {}

  void read(const std::string& shard) {
    shard_ = shard;
    std::set<std::string> keys;
    std::string key;
    for (const TarMember& member : list_tar(shard)) {
      const PartName name = part_name(member.name);
      if (name.key.empty()) continue;
      if (name.key != key) {
        finish(key);
        key = name.key;
        require<IoError>(keys.insert(key).second,
                         "{}: members of sample {} must lie together; pack the shard in the order of its names", shard_,
                         key);
      }
      const bool is_first = parts_.emplace(name.part, member).second;
      require<IoError>(is_first || (name.part != "jpg_0" && name.part != "jpg_1"),
                       "{}: sample {} must have one {}; remove {}", shard_, key, name.part, member.name);
    }
    finish(key);
  }

  PreferenceDataset result() { return rows_.result(); }

 private:
  std::string text_of(const TarMember& member) const {
    std::string text = read_range(shard_, member.begin, member.size);
    require<IoError>(is_utf8(text), "{}: {} must be UTF-8", shard_, member.name);
    const size_t last = text.find_last_not_of(" \t\r\n");
    text.resize(last == text.npos ? 0 : last + 1);
    return text;
  }

  /// The first of `names` that is a member, or a key of the .json; strings, and numbers as they are written.
  std::optional<std::string> find(const Json& fields, std::initializer_list<const char*> names) const {
    for (const char* name : names) {
      if (const auto part = parts_.find(name); part != parts_.end()) return text_of(part->second);
      const Json* value = fields.find(name);
      if (value && value->is_string()) return value->as_string();
      if (value && !value->is_null()) return value->dump();
    }
    return std::nullopt;
  }

  std::optional<PreferenceSample> sample_of(const std::string& key, const std::string& where) const {
    Json fields = Json::object();
    if (const auto json = parts_.find("json"); json != parts_.end())
      fields = Json::parse(text_of(json->second), shard_ + ": " + json->second.name);
    require<IoError>(fields.is_object(), "{}: .json must be an object", where);
    const std::optional<std::string> share = find(fields, {"label_0"});
    require<IoError>(share.has_value(), "{}: sample must have label_0, as a member or in its .json", where);
    const std::optional<bool> better = first_is_better(*share, where);
    const PictureSource first = picture("jpg_0", where), second = picture("jpg_1", where);
    const std::optional<std::string> prompt = find(fields, {"caption", "original_prompt", "txt", "prompt", "text"});
    require<IoError>(prompt.has_value(), "{}: sample must have a caption (.caption.txt or .txt, or in its .json)",
                     where);
    if (!better) return std::nullopt;
    return PreferenceSample{
        .id = key, .prompt = *prompt, .winner = *better ? first : second, .loser = *better ? second : first};
  }

  PictureSource picture(const char* part, const std::string& where) const {
    const auto found = parts_.find(part);
    require<IoError>(found != parts_.end(), "{}: sample must have {} (a picture)", where, part);
    return {shard_, found->second.begin, found->second.size, found->second.name};
  }

  void finish(const std::string& key) {
    const std::string where = shard_ + ": " + key;
    if (!parts_.empty()) rows_.add(where, [&] { return sample_of(key, where); });
    parts_.clear();
  }

  PreferenceRows rows_;
  std::string shard_;
  std::map<std::string, TarMember, std::less<>> parts_;
};

}  // namespace

bool holds_preferences(const std::string& shard) {
  std::string key;
  for (const TarMember& member : list_tar(shard)) {
    const PartName name = part_name(member.name);
    if (name.key.empty()) continue;
    if (name.part == "jpg_0" || name.part == "jpg_1") return true;
    if (!key.empty() && key != name.key) return false;
    key = name.key;
  }
  return false;
}

PreferenceDataset read_preference_shards(const std::vector<std::string>& shards,
                                         const PreferenceDatasetOptions& options) {
  PreferenceShards reader(options);
  for (const std::string& shard : shards) reader.read(shard);
  return reader.result();
}

}  // namespace plumb
