#include "apps/shapes/study/json_lines.h"

#include <algorithm>
#include <filesystem>

#include "engine/format.h"
#include "engine/io/file.h"

namespace plumb::study {

std::vector<Json> read_json_lines(const std::string& path) {
  const std::string text = read_file(path);
  std::vector<Json> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(Json::parse(text.substr(begin, end - begin), fmt::format("{}, line {}", path, lines.size() + 1)));
    begin = end + 1;
  }
  return lines;
}

void write_json_lines(const std::string& path, const std::vector<Json>& lines) {
  std::string text;
  for (const Json& line : lines) text += line.dump() + '\n';
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  write_file_atomic(path, text);
}

}  // namespace plumb::study
