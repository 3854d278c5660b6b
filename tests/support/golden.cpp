#include "tests/support/golden.h"

#include <fstream>
#include <sstream>

namespace plumb::test {
namespace {

std::string path_of(const std::string& folder, const char* name) {
  return std::string(PLUMB_GOLDEN_DIR) + "/" + folder + "/" + name;
}

Json read_json(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return Json::parse(text.str(), path);
}

}  // namespace

Golden::Golden(const std::string& folder)
    : header_(read_json(path_of(folder, "cases.json"))), file_(path_of(folder, "cases.safetensors")) {}

std::vector<Json> Golden::cases(const std::string& kind) const {
  std::vector<Json> found;
  for (const Json& entry : header_.at("cases").as_array())
    if (entry.at("kind").as_string() == kind) found.push_back(entry);
  return found;
}

Tensor Golden::tensor(const Json& entry, const std::string& what) const {
  return file_.tensor(entry.at("case").as_string() + "." + what);
}

}  // namespace plumb::test
