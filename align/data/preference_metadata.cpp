#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

#include "align/data/preference_layouts.h"
#include "engine/error.h"
#include "engine/require.h"
#include "nn/data/metadata_file.h"
#include "nn/data/picture_layouts.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

using Names = std::vector<std::string_view>;

/// What the columns of a layout are called; the first that a row has counts.
struct Columns {
  std::string_view layout;
  Names winner, loser, prompt;
  std::string_view label;
};

const std::array<Columns, 4>& known_columns() {
  static const std::array<Columns, 4> columns = {{
      {"plumb pairs", {"pos_file"}, {"neg_file"}, {"prompt"}, ""},
      {"imagefolder pairs",
       {"chosen", "chosen_file_name"},
       {"rejected", "rejected_file_name"},
       {"prompt", "caption", "text"},
       ""},
      {"pick-a-pic", {"jpg_0"}, {"jpg_1"}, {"caption", "original_prompt", "prompt", "text"}, "label_0"},
      {"kto", {"file_path", "image", "image_path", "file_name"}, {}, {"caption", "prompt", "text"}, "label"},
  }};
  return columns;
}

std::string keys_of(const Json& fields) {
  std::string keys;
  for (const JsonMember& member : fields.as_object()) keys += (keys.empty() ? "" : ", ") + member.key;
  return keys.empty() ? "nothing" : keys;
}

const Json* find_any(const Json& fields, const Names& names) {
  for (const std::string_view name : names)
    if (const Json* found = fields.find(name)) return found;
  return nullptr;
}

bool fits(const Columns& columns, const Json& fields) {
  return find_any(fields, columns.winner) && (columns.label.empty() || fields.find(columns.label));
}

/// The columns of the first row that has some.
const Columns* columns_of(const std::vector<MetadataRow>& rows) {
  for (const MetadataRow& row : rows)
    for (const Columns& columns : known_columns())
      if (fits(columns, row.fields)) return &columns;
  return nullptr;
}

std::string joined(const Names& names) {
  std::string text;
  for (const std::string_view name : names) text += (text.empty() ? "" : " or ") + std::string(name);
  return text;
}

class PreferenceMetadata {
 public:
  PreferenceMetadata(const fs::path& metadata, const Columns& columns, const PreferenceDatasetOptions& options)
      : metadata_(metadata),
        folder_(metadata.parent_path()),
        columns_(columns),
        options_(options),
        rows_(std::string(columns.layout), options) {}

  PreferenceDataset read(const std::vector<MetadataRow>& rows) {
    for (size_t i = 0; i < rows.size(); ++i) {
      const Json& fields = rows[i].fields;
      if (is_of_another_split(fields)) continue;
      const std::string where = metadata_.string() + ":" + std::to_string(rows[i].line);
      rows_.add(where, [&] { return sample_of(fields, i, where); });
    }
    return rows_.result();
  }

 private:
  /// Diffusion-KTO's tables hold all splits and name them.
  bool is_of_another_split(const Json& fields) const {
    const Json* split = columns_.layout == "kto" ? fields.find("split") : nullptr;
    return split && split->is_string() && !split->as_string().empty() && split->as_string() != options_.split;
  }

  std::optional<PreferenceSample> sample_of(const Json& fields, size_t row, const std::string& where) const {
    PreferenceSample sample{.id = id_of(fields, row, where)};
    const Json* prompt = find_any(fields, columns_.prompt);
    require<IoError>(prompt, "{}: row must have a prompt; write \"{}\": \"…\" (it has {})", where,
                     columns_.prompt.front(), keys_of(fields));
    sample.prompt = text_of(*prompt, columns_.prompt.front(), where);
    sample.negatives = negatives_of(fields, where);
    sample.winner = source_of(fields, columns_.winner, where);
    if (columns_.layout == "kto") {
      sample.label = liked(fields, where) ? 1 : -1;
      return sample;
    }
    const Json* loser = find_any(fields, columns_.loser);
    const bool has_none = !loser || loser->is_null() || (loser->is_string() && loser->as_string().empty());
    require<IoError>(!has_none || columns_.layout == "plumb pairs", "{}: row must name its loser; write \"{}\": \"…\"",
                     where, columns_.loser.front());
    if (!has_none) sample.loser = source_of(fields, columns_.loser, where);
    if (columns_.layout != "pick-a-pic") return sample;
    const std::optional<bool> better = first_is_better(text_of(fields.at("label_0"), "label_0", where), where);
    if (!better) return std::nullopt;
    if (!*better) std::swap(sample.winner, sample.loser);
    return sample;
  }

  static std::string id_of(const Json& fields, size_t row, const std::string& where) {
    const Json* id = fields.find("id");
    return id && !id->is_null() ? text_of(*id, "id", where) : std::to_string(row);
  }

  /// A string, or a number or truth value as it is written.
  static std::string text_of(const Json& value, std::string_view key, const std::string& where) {
    if (value.is_string()) return value.as_string();
    require<IoError>(!value.is_null() && !value.is_array() && !value.is_object(), "{}: \"{}\" must be a string ({})",
                     where, key, value.dump());
    return value.dump();
  }

  static std::vector<std::string> negatives_of(const Json& fields, const std::string& where) {
    std::vector<std::string> texts;
    if (const Json* one = fields.find("neg_prompt"); one && !one->is_null())
      texts.push_back(text_of(*one, "neg_prompt", where));
    const Json* list = fields.find("neg_prompts");
    if (!list) return texts;
    require<IoError>(list->is_array(), "{}: \"neg_prompts\" must be a list of strings ({})", where, list->dump());
    for (const Json& each : list->as_array()) {
      require<IoError>(each.is_string(), "{}: \"neg_prompts\" must hold strings ({})", where, each.dump());
      if (std::find(texts.begin(), texts.end(), each.as_string()) == texts.end()) texts.push_back(each.as_string());
    }
    return texts;
  }

  PictureSource source_of(const Json& fields, const Names& keys, const std::string& where) const {
    const Json* name = find_any(fields, keys);
    require<IoError>(name && name->is_string() && !name->as_string().empty(),
                     "{}: row must name a file under \"{}\" (it has {})", where, joined(keys), keys_of(fields));
    const fs::path relative = fs::path(name->as_string()).lexically_normal();
    // Sets of ours may share pictures: one beside another.
    const bool may_leave = columns_.layout == "plumb pairs";
    require<IoError>(relative.is_relative() && (may_leave || !relative.string().starts_with("..")),
                     "{}: {} must be relative to the metadata's folder (\"{}\")", where, keys.front(),
                     name->as_string());
    fs::path path = (folder_ / relative).lexically_normal();
    std::error_code ignored;
    if (!fs::is_regular_file(path, ignored) && columns_.layout == "kto" &&
        fs::is_regular_file(folder_ / options_.split / relative, ignored))
      path = folder_ / options_.split / relative;
    require<IoError>(fs::is_regular_file(path, ignored), "{}: no file {}; add it, or remove the row", where,
                     path.string());
    return whole_file(path);
  }

  bool liked(const Json& fields, const std::string& where) const {
    const Json* label = fields.find(columns_.label);
    require<IoError>(label, "{}: row must have \"label\" (it has {})", where, keys_of(fields));
    std::string text = text_of(*label, "label", where);
    for (char& c : text)
      if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
    for (const char* yes : {"1", "true", "exclusive_win"})
      if (text == yes) return true;
    for (const char* no : {"0", "false", "exclusive_lose"})
      if (text == no) return false;
    raise<IoError>("{}: label must be 1 or 0 (true or false, exclusive_win or exclusive_lose) ({})", where, text);
  }

  fs::path metadata_, folder_;
  const Columns& columns_;
  const PreferenceDatasetOptions& options_;
  PreferenceRows rows_;
};

}  // namespace

std::optional<bool> first_is_better(std::string_view share, const std::string& where) {
  const size_t first = share.find_first_not_of(" \t\r\n");
  const std::string_view text =
      first == share.npos ? "" : share.substr(first, share.find_last_not_of(" \t\r\n") + 1 - first);
  double value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool known =
      error == std::errc() && end == text.data() + text.size() && (value == 0 || value == 0.5 || value == 1);
  require<IoError>(known, "{}: label_0 must be 1, 0, or 0.5 for a tie ({})", where, text);
  if (value == 0.5) return std::nullopt;
  return value == 1;
}

bool lists_preferences(const fs::path& metadata) {
  for (const MetadataRow& row : read_metadata(metadata))
    for (const Columns& columns : known_columns()) {
      if (!fits(columns, row.fields)) continue;
      if (columns.layout != "kto") return true;
      const Json& label = row.fields.at("label");
      return label.is_string() && label.as_string().starts_with("exclusive_");
    }
  return false;
}

PreferenceDataset read_preference_metadata(const fs::path& metadata, const PreferenceDatasetOptions& options) {
  const std::vector<MetadataRow> rows = read_metadata(metadata);
  require<IoError>(!rows.empty(), "{}: metadata must have rows; write one for each preference", metadata.string());
  const Columns* columns = columns_of(rows);
  require<IoError>(columns,
                   "{}:{}: rows must be preferences: pos_file and neg_file, chosen and rejected, jpg_0, jpg_1 and "
                   "label_0, or file_path and label (it has {})",
                   metadata.string(), rows.front().line, keys_of(rows.front().fields));
  return PreferenceMetadata(metadata.lexically_normal(), *columns, options).read(rows);
}

}  // namespace plumb
