#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plumb {

class Json;

/// What a value of a configuration file is, before a flag gives it a type.
enum class ConfigKind { boolean, integer, real, string };

struct ConfigScalar {
  ConfigKind kind;
  std::string text;  // as a flag would be given it: "true", "12", "1e-04", or the string itself
};

/// One `key = value` or `key = [values]`.
struct ConfigEntry {
  std::string key;
  std::vector<ConfigScalar> values;
  bool is_list = false;
  int line = 0;  // where it was read, 1-based; 0 for one that was not read
};
using ConfigEntries = std::vector<ConfigEntry>;

/// Reads a TOML file in file order. Tables only group: `[optimizer] learning_rate = 1` is the key learning_rate, except
/// that `[set] "ddspo.beta" = 2` (and dotted keys under it) is the list entry set = ["ddspo.beta=2"]. Values are
/// booleans, integers, reals, strings and flat arrays of them. `-` in keys is read as `_`.
/// Throws UsageError naming file and line: unreadable, not TOML, a key twice, a date, a nested array.
ConfigEntries read_config(const std::string& path);

/// The same, from text; `name` stands for the file in messages.
ConfigEntries parse_config(std::string_view text, const std::string& name);

/// The TOML text of a run: a comment saying how to repeat it, `verb = "..."`, then one line an entry. Reals are written
/// in the shortest form that reads back to the same bits.
std::string format_config(std::string_view verb, const ConfigEntries& entries);

/// Writes format_config() atomically. Throws IoError.
void write_config(const std::string& path, std::string_view verb, const ConfigEntries& entries);

/// The same values as a JSON object, for the "settings" of metrics.json.
Json to_json(const ConfigEntries& entries);

}  // namespace plumb
