#include "apps/common/early_flag.h"

#include <algorithm>

#include "apps/common/config.h"

namespace plumb {
namespace {

std::optional<std::string> on_command_line(const Arguments& arguments, std::string_view name) {
  std::optional<std::string> found;
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string word = arguments[i];
    const size_t equals = word.find('=');
    std::string flag = word.substr(0, equals);
    if (!flag.starts_with("--")) continue;
    flag.erase(0, 2);
    std::replace(flag.begin(), flag.end(), '-', '_');
    if (flag != name) continue;
    if (equals != std::string::npos)
      found = word.substr(equals + 1);
    else if (i + 1 < arguments.size())
      found = arguments[i + 1];
  }
  return found;
}

}  // namespace

std::optional<std::string> early_flag(const Arguments& arguments, std::string_view name) {
  if (std::optional<std::string> found = on_command_line(arguments, name)) return found;
  const std::optional<std::string> config = on_command_line(arguments, "config");
  if (!config) return std::nullopt;
  for (const ConfigEntry& entry : read_config(*config))
    if (entry.key == name && !entry.values.empty()) return entry.values.front().text;
  return std::nullopt;
}

}  // namespace plumb
