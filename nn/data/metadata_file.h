#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/json.h"

namespace plumb {

/// A row of metadata and where it stands.
struct MetadataRow {
  Json fields;  ///< an object; of a CSV all values are strings
  int64_t line = 0;
};

/// metadata.jsonl: an object a line; blank lines are passed over. metadata.csv (RFC 4180): the first row names the
/// columns; fields in quotes may hold commas and lines. Told by the name. Throws IoError "FILE:LINE: what; fix".
std::vector<MetadataRow> read_metadata(const std::filesystem::path& path);

/// The rows of a CSV text, header included, with the line each begins on. Throws IoError naming `source` and line.
struct CsvRow {
  std::vector<std::string> fields;
  int64_t line = 0;
};
std::vector<CsvRow> parse_csv(std::string_view text, std::string_view source);

}  // namespace plumb
