#include "tests/support/golden.h"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "engine/format.h"

namespace plumb::test {
namespace {

Json read_json(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return Json::parse(text.str(), path);
}

}  // namespace

std::string golden_path(const std::string& name) {
  const char* moved = std::getenv("PLUMB_GOLDEN_DIR");
  return std::string(moved ? moved : PLUMB_GOLDEN_DIR) + "/" + name;
}

Golden::Golden(const std::string& folder)
    : header_(read_json(golden_path(folder + "/cases.json"))), file_(golden_path(folder + "/cases.safetensors")) {}

std::vector<Json> Golden::cases(const std::string& kind) const {
  std::vector<Json> found;
  for (const Json& entry : header_.at("cases").as_array())
    if (entry.at("kind").as_string() == kind) found.push_back(entry);
  return found;
}

Tensor Golden::tensor(const Json& entry, const std::string& what) const {
  return file_.tensor(entry.at("case").as_string() + "." + what);
}

TensorMap Golden::tensors(const std::string& prefix) const {
  TensorMap found;
  for (size_t i = 0; i < file_.size(); ++i)
    if (const std::string name(file_.header().name(i)); name.starts_with(prefix))
      found.emplace(name.substr(prefix.size()), file_.tensor(i));
  return found;
}

std::string disagreement(const Tensor& got, const Tensor& expected, Tolerance tolerance) {
  if (got.dtype() != expected.dtype() || got.shape() != expected.shape())
    return fmt::format("is {}, expected {}", got, expected);
  const std::vector<double> a = got.to_vector<double>(), b = expected.to_vector<double>();
  size_t outside = 0, worst = 0;
  double worst_excess = -1;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    const double error = std::abs(a[i] - b[i]), allowed = tolerance.absolute + tolerance.relative * std::abs(b[i]);
    if (std::isfinite(b[i]) && error <= allowed) continue;  // an expected infinity was either met or missed
    ++outside;
    const double excess = std::isnan(error) ? HUGE_VAL : error - allowed;
    if (excess > worst_excess) worst = i, worst_excess = excess;
  }
  if (outside == 0) return "";
  return fmt::format("{} of {} elements are outside {} + {} relative; worst at {}: {}, expected {}", outside, a.size(),
                     tolerance.absolute, tolerance.relative, worst, a[worst], b[worst]);
}

std::string disagreement(const TensorMap& got, const TensorMap& expected, const Json& tolerances, bool more) {
  std::string problems;
  for (const auto& [name, tensor] : expected) {
    const auto found = got.find(name);
    const Json& allowed = tolerances.at(name);
    const std::string problem =
        found == got.end() ? "is missing"
                           : disagreement(found->second, tensor, {allowed[0].as_number(), allowed[1].as_number()});
    if (!problem.empty()) problems += fmt::format("{} {}; ", name, problem);
  }
  for (const auto& [name, tensor] : got)
    if (!more && !expected.contains(name)) problems += fmt::format("{} is not expected; ", name);
  return problems;
}

}  // namespace plumb::test
