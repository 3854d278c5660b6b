#include "align/eval/score_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <tuple>

#include "engine/io/json.h"
#include "engine/require.h"
#include "nn/data/metadata_file.h"

namespace plumb {
namespace {

bool is_measure(const Json& value) {
  const Json::Kind kind = value.kind();
  return kind == Json::Kind::boolean || kind == Json::Kind::integer || kind == Json::Kind::number;
}

bool is_known(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Fields of every line that could be averaged, in the order they appear.
std::vector<std::string> measures_of(const std::vector<MetadataRow>& rows) {
  std::vector<std::string> fields;
  for (const MetadataRow& row : rows)
    for (const auto& [key, value] : row.fields.as_object())
      if (key != "seed" && is_measure(value) && !is_known(fields, key)) fields.push_back(key);
  return fields;
}

double value_of(const Json* field, const std::string& name, const std::string& where) {
  if (!field || field->is_null()) return std::numeric_limits<double>::quiet_NaN();
  require<IoError>(is_measure(*field), "{}: \"{}\" must be a number, true, false or null (it is {})", where, name,
                   field->dump());
  return field->kind() == Json::Kind::boolean ? double(field->as_bool()) : field->as_number();
}

const Json& member(const MetadataRow& row, const char* key, Json::Kind kind, const std::string& where) {
  const Json* value = row.fields.find(key);
  require<IoError>(value && value->kind() == kind,
                   "{}: line must have a \"{}\", {}; score the folder again with plumb shapes score", where, key,
                   kind == Json::Kind::string ? "a text" : "a whole number");
  return *value;
}

}  // namespace

ScoreFile read_scores(const std::filesystem::path& path, const std::vector<std::string>& fields) {
  const std::vector<MetadataRow> rows = read_metadata(path);
  require<IoError>(!rows.empty(), "{}: there must be a line of scores; score the folder again", path.string());
  const std::vector<std::string> measures = measures_of(rows);
  for (const std::string& field : fields)
    require<IoError>(is_known(measures, field), "{}: no line has a number \"{}\"; it has {}", path.string(), field,
                     fmt::join(measures, ", "));
  ScoreFile file{path.string(), fields.empty() ? measures : fields, {}};
  require<IoError>(!file.fields.empty(), "{}: no line has a number besides its seed; nothing can be averaged",
                   file.path);
  std::vector<std::pair<ScoredPicture, int64_t>> lines;
  for (const MetadataRow& row : rows) {
    const std::string where = fmt::format("{}:{}", file.path, row.line);
    ScoredPicture picture{.prompt = member(row, "prompt", Json::Kind::string, where).as_string(),
                          .seed = member(row, "seed", Json::Kind::integer, where).as_integer()};
    if (row.fields.find("category")) picture.category = member(row, "category", Json::Kind::string, where).as_string();
    for (const std::string& field : file.fields)
      picture.values.push_back(value_of(row.fields.find(field), field, where));
    lines.emplace_back(std::move(picture), row.line);
  }
  std::stable_sort(lines.begin(), lines.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first.prompt, a.first.seed) < std::tie(b.first.prompt, b.first.seed);
  });
  for (size_t i = 0; i < lines.size(); ++i) {
    ScoredPicture& picture = lines[i].first;
    require<IoError>(
        i == 0 || file.pictures.back().prompt != picture.prompt || file.pictures.back().seed != picture.seed,
        "{}:{}: prompt \"{}\" with seed {} is also on line {}; a picture has one line", file.path, lines[i].second,
        picture.prompt, picture.seed, i == 0 ? 0 : lines[i - 1].second);
    file.pictures.push_back(std::move(picture));
  }
  return file;
}

}  // namespace plumb
