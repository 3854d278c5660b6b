#include "nn/data/metadata_file.h"

#include <algorithm>

#include "engine/error.h"
#include "engine/io/file.h"
#include "engine/io/utf8.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string_view without_mark(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return text;
}

std::vector<MetadataRow> parse_lines(std::string_view text, const std::string& source) {
  std::vector<MetadataRow> rows;
  for (int64_t line = 1; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view row = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (row.find_first_not_of(" \t\r") == row.npos) continue;
    const std::string where = source + ":" + std::to_string(line);
    require<IoError>(is_utf8(row), "{}: text must be UTF-8; save the file in that encoding", where);
    Json fields;
    try {
      fields = Json::parse(row, where);
    } catch (const IoError& error) {
      raise<IoError>("{}: line must be one JSON object ({}); write {{\"file_name\": \"…\", \"text\": \"…\"}}", where,
                     error.what());
    }
    require<IoError>(fields.is_object(),
                     "{}: line must be one JSON object; write {{\"file_name\": \"…\", \"text\": \"…\"}}", where);
    rows.push_back({std::move(fields), line});
  }
  return rows;
}

std::vector<MetadataRow> from_csv(std::string_view text, const std::string& source) {
  std::vector<CsvRow> table = parse_csv(text, source);
  std::vector<MetadataRow> rows;
  for (size_t i = 1; i < table.size(); ++i) {
    const std::vector<std::string>& names = table.front().fields;
    require<IoError>(table[i].fields.size() == names.size(),
                     "{}:{}: row must have {} fields ({}); put text with commas into quotes", source, table[i].line,
                     names.size(), table[i].fields.size());
    Json fields = Json::object();
    for (size_t k = 0; k < names.size(); ++k) fields.set(names[k], table[i].fields[k]);
    rows.push_back({std::move(fields), table[i].line});
  }
  return rows;
}

}  // namespace

std::vector<CsvRow> parse_csv(std::string_view text, std::string_view source) {
  std::vector<CsvRow> rows;
  CsvRow row{{}, 1};
  std::string field;
  int64_t line = 1;
  bool quoted = false, was_quoted = false;
  const auto end_field = [&] {
    row.fields.push_back(std::move(field));
    field.clear();
    was_quoted = false;
  };
  const auto end_row = [&] {
    const bool blank = row.fields.empty() && field.empty() && !was_quoted;
    end_field();
    if (!blank) rows.push_back(std::move(row));
    row = {{}, line + 1};
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '"' && text.substr(i + 1).starts_with('"'))
        field += text[++i];
      else if (c == '"')
        quoted = false;
      else
        field += c;
    } else if (c == '"') {
      require<IoError>(field.empty() && !was_quoted,
                       "{}:{}: quotes must stand around a whole field and be doubled "
                       "inside one",
                       source, line);
      quoted = was_quoted = true;
    } else if (c == ',') {
      end_field();
    } else if (c == '\n') {
      end_row();
    } else if (c != '\r' || !text.substr(i + 1).starts_with('\n')) {
      field += c;
    }
    line += c == '\n';
  }
  require<IoError>(!quoted, "{}:{}: quotes must be closed", source, row.line);
  if (!text.empty() && text.back() != '\n') end_row();
  return rows;
}

std::vector<MetadataRow> read_metadata(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  const std::string_view text = without_mark(bytes);
  if (path.extension() != ".csv") return parse_lines(text, path.string());
  if (!is_utf8(text)) {  // find the line for the message
    int64_t line = 1;
    for (std::string_view left = text; !left.empty(); ++line) {
      const size_t end = std::min(left.find('\n'), left.size());
      require<IoError>(is_utf8(left.substr(0, end)), "{}:{}: text must be UTF-8; save the file in that encoding",
                       path.string(), line);
      left.remove_prefix(std::min(end + 1, left.size()));
    }
  }
  return from_csv(text, path.string());
}

}  // namespace plumb
