#include <algorithm>
#include <charconv>
#include <set>
#include <system_error>

#include "engine/error.h"
#include "engine/io/file.h"
#include "engine/io/json.h"
#include "engine/io/tar.h"
#include "engine/io/utf8.h"
#include "engine/require.h"
#include "nn/data/picture_layouts.h"

namespace plumb {
namespace {

/// The members of one sample.
struct Parts {
  std::string key;
  const TarMember *picture = nullptr, *caption = nullptr, *json = nullptr, *label = nullptr;
};

class ShardReader {
 public:
  explicit ShardReader(const PictureDatasetOptions& options) : options_(options) { dataset_.layout = "webdataset"; }

  void read(const std::string& shard) {
    shard_ = shard;
    std::set<std::string> keys;
    Parts parts;
    const std::vector<TarMember> members = list_tar(shard);
    for (const TarMember& member : members) {
      const auto [key, extension] = split(member.name);
      if (key.empty()) continue;
      if (key != parts.key) {
        finish(parts);
        parts = {.key = key};
        require<IoError>(keys.insert(key).second,
                         "{}: members of sample {} must lie together; pack the shard in the "
                         "order of its names",
                         shard_, key);
      }
      place(parts, member, extension);
    }
    finish(parts);
  }

  PictureDataset result() {
    if (has_labels_) {
      dataset_.classes = table_.number(shard_);
      for (size_t i = 0; i < labels_.size(); ++i) dataset_.samples[i].label = table_.of(labels_[i]);
    }
    if (!dataset_.has_captions) dataset_.empty_captions = 0;
    return std::move(dataset_);
  }

 private:
  /// Path up to the first dot of the name, and what follows it in small letters. Empty for hidden files.
  static std::pair<std::string, std::string> split(const std::string& name) {
    const size_t slash = name.rfind('/');
    const size_t begin = slash == name.npos ? 0 : slash + 1;
    const size_t dot = name.find('.', begin);
    if (dot == name.npos || dot == begin) return {};
    std::string extension = name.substr(dot + 1);
    for (char& c : extension)
      if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
    return {name.substr(0, dot), extension};
  }

  void place(Parts& parts, const TarMember& member, const std::string& extension) const {
    const TarMember** part = nullptr;
    if (extension == "png" || extension == "jpg" || extension == "jpeg") part = &parts.picture;
    if (extension == "txt" || extension == "caption") part = &parts.caption;
    if (extension == "json") part = &parts.json;
    if (extension == "cls") part = &parts.label;
    if (!part) return;
    require<IoError>(!*part, "{}: sample must have one {} ({} and {})", shard_,
                     part == &parts.picture ? "picture" : "part of a kind", *part ? (*part)->name : "", member.name);
    *part = &member;
  }

  std::string text_of(const TarMember& member) const {
    std::string text = read_range(shard_, member.begin, member.size);
    require<IoError>(is_utf8(text), "{}: {} must be UTF-8", shard_, member.name);
    const size_t last = text.find_last_not_of(" \t\r\n");
    text.resize(last == text.npos ? 0 : last + 1);
    return text;
  }

  /// Captions are in a part of their own, or under a key of the .json.
  std::string caption_of(const Parts& parts, bool& found) const {
    found = parts.caption != nullptr;
    if (found) return text_of(*parts.caption);
    if (!parts.json) return "";
    const Json fields = Json::parse(text_of(*parts.json), shard_ + ": " + parts.json->name);
    const Json* caption = fields.is_object() ? fields.find(options_.caption_column) : nullptr;
    found = caption && caption->is_string();
    return found ? caption->as_string() : "";
  }

  void finish(const Parts& parts) {
    if (parts.key.empty()) return;
    if (!parts.picture) {
      const bool has_more = parts.caption || parts.label || parts.json;
      require<IoError>(!has_more, "{}: sample {} must have a picture (.png, .jpg or .jpeg)", shard_, parts.key);
      return;
    }
    PictureSample sample{.source = {shard_, parts.picture->begin, parts.picture->size, parts.picture->name}};
    bool has_caption = false;
    sample.caption = caption_of(parts, has_caption);
    dataset_.has_captions = dataset_.has_captions || has_caption;
    dataset_.empty_captions += sample.caption.empty();
    if (dataset_.samples.empty()) has_labels_ = parts.label;
    require<IoError>(has_labels_ == (parts.label != nullptr), "{}: all samples or none must have a .cls ({})", shard_,
                     parts.key);
    if (parts.label) {
      labels_.push_back(text_of(*parts.label));
      table_.add(labels_.back());
    }
    dataset_.epoch.push_back(int64_t(dataset_.samples.size()));
    dataset_.samples.push_back(std::move(sample));
  }

  const PictureDatasetOptions& options_;
  PictureDataset dataset_;
  std::string shard_;
  bool has_labels_ = false;
  std::vector<std::string> labels_;
  LabelTable table_;
};

}  // namespace

PictureDataset read_webdataset(const std::vector<std::string>& shards, const PictureDatasetOptions& options) {
  ShardReader reader(options);
  for (const std::string& shard : shards) reader.read(shard);
  return reader.result();
}

std::vector<std::string> expand_shards(const std::string& pattern) {
  constexpr uint64_t kMostShards = 1'000'000;
  const size_t open = pattern.find('{');
  if (open == pattern.npos) return {pattern};
  const size_t close = pattern.find('}', open), dots = pattern.find("..", open);
  uint64_t first = 0, last = 0;
  const auto number = [&](size_t begin, size_t end, uint64_t& value) {
    const auto [stop, error] = std::from_chars(pattern.data() + begin, pattern.data() + end, value);
    return begin < end && error == std::errc() && stop == pattern.data() + end;
  };
  require<IoError>(close != pattern.npos && dots < close && number(open + 1, dots, first) &&
                       number(dots + 2, close, last) && first <= last && last - first < kMostShards,
                   "data: pattern must be like NAME-{{000000..000099}}.tar ({})", pattern);
  const size_t width = dots - open - 1;
  std::vector<std::string> names;
  for (uint64_t i = first; i <= last; ++i) {
    const std::string digits = std::to_string(i);
    const std::string zeros(width > digits.size() ? width - digits.size() : 0, '0');
    for (const std::string& rest : expand_shards(pattern.substr(close + 1)))
      names.push_back(pattern.substr(0, open) + zeros + digits + rest);
  }
  return names;
}

}  // namespace plumb
