#include "engine/cuda/dnn/plan_cache.h"

#include <cctype>
#include <cstdio>
#include <cstdlib>

#include "engine/error.h"
#include "engine/io/file.h"

namespace plumb::dnn {
namespace {

std::filesystem::path place() {
  if (const char* chosen = std::getenv("PLUMB_PLAN_CACHE")) return std::string_view(chosen) == "off" ? "" : chosen;
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache)
    return std::filesystem::path(cache) / "plumb/plans";
  if (const char* home = std::getenv("HOME"); home && *home) return std::filesystem::path(home) / ".cache/plumb/plans";
  return {};
}

std::string file_name(std::string text) {
  for (char& c : text)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_') c = '-';
  return text;
}

void pass_over(const std::filesystem::path& path, const std::string& why) {
  std::fprintf(stderr, "plumb: passing over the plan %s (%s)\n", path.c_str(), why.c_str());
}

}  // namespace

PlanFolder::PlanFolder(const Target& target) : folder_(place()) {
  if (!folder_.empty()) folder_ /= file_name("cudnn-" + std::to_string(library().version()) + "-" + target.name);
}

Plan PlanFolder::load(const Target& target, const std::string& problem) const {
  std::error_code ignored;
  const std::filesystem::path path = folder_ / (file_name(problem) + ".json");
  if (folder_.empty() || !std::filesystem::exists(path, ignored)) return {};
  try {
    Plan plan = plan_from_text(target, read_file(path));
    if (plan.descriptor.is_good()) return plan;
    pass_over(path, last_problem(plan.descriptor.status()));
  } catch (const Error& error) {
    pass_over(path, error.what());
  }
  return {};
}

void PlanFolder::store(const std::string& problem, const Plan& plan) const {
  if (folder_.empty()) return;
  try {
    std::error_code ignored;
    std::filesystem::create_directories(folder_, ignored);
    AtomicFile file(folder_ / (file_name(problem) + ".json"));
    file.write(to_text(plan));
    file.commit(Durability::left_to_system);
  } catch (const Error&) {  // a disk that is full or read-only costs the next run time, not this one its result
  }
}

}  // namespace plumb::dnn
