#include "apps/shapes/study/json_lines.h"

#include <filesystem>

#include "engine/io/file.h"

namespace plumb::study {

void write_json_lines(const std::string& path, const std::vector<Json>& lines) {
  std::string text;
  for (const Json& line : lines) text += line.dump() + '\n';
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  write_file_atomic(path, text);
}

}  // namespace plumb::study
