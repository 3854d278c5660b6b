#include "apps/common/config.h"

// The only file that sees toml++ (a shared library or header-only, as the distribution has it).
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

#include "apps/common/exit_codes.h"
#include "apps/common/flag_text.h"
#include "engine/io/file.h"
#include "engine/io/json.h"
#include "engine/require.h"

namespace plumb {
namespace {

int line_of(const toml::node& node) { return static_cast<int>(node.source().begin.line); }

ConfigScalar read_scalar(const toml::node& node, const std::string& key, const std::string& file) {
  if (auto* value = node.as_boolean()) return {ConfigKind::boolean, value->get() ? "true" : "false"};
  if (auto* value = node.as_integer()) return {ConfigKind::integer, fmt::format("{}", value->get())};
  if (auto* value = node.as_floating_point()) return {ConfigKind::real, format_real(value->get())};
  if (auto* value = node.as_string()) return {ConfigKind::string, value->get()};
  raise<UsageError>("{} holds a value that no setting takes ({}:{}); use booleans, numbers, strings and flat lists",
                    key, file, line_of(node));
}

class Reader {
 public:
  explicit Reader(const std::string& file) : file_(file) {}

  void read_table(const toml::table& table) {
    for (const auto& [name, node] : table) {
      std::string key(name.str());
      std::replace(key.begin(), key.end(), '-', '_');
      if (const toml::table* inner = node.as_table()) {
        if (key == "set") {
          read_set(*inner, "");
        } else {
          read_table(*inner);
        }
      } else {
        read_value(key, node, line_of(node));
      }
    }
  }

  ConfigEntries finish() {
    if (!set_.values.empty()) entries_.push_back(std::move(set_));
    // toml++ keeps tables sorted by name; messages and precedence should follow the file.
    std::stable_sort(entries_.begin(), entries_.end(),
                     [](const ConfigEntry& a, const ConfigEntry& b) { return a.line < b.line; });
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        require<UsageError>(entries_[i].key != entries_[j].key, "{} is set twice ({}:{} and {}:{}); remove one",
                            entries_[i].key, file_, entries_[j].line, file_, entries_[i].line);
      }
    }
    return std::move(entries_);
  }

 private:
  void read_value(const std::string& key, const toml::node& node, int line) {
    ConfigEntry entry{key, {}, node.is_array(), line};
    if (const toml::array* list = node.as_array()) {
      for (const toml::node& item : *list) entry.values.push_back(read_scalar(item, key, file_));
    } else {
      entry.values.push_back(read_scalar(node, key, file_));
    }
    entries_.push_back(std::move(entry));
  }

  void read_set(const toml::table& table, const std::string& prefix) {
    for (const auto& [name, node] : table) {
      std::string key = prefix + std::string(name.str());
      if (const toml::table* inner = node.as_table()) {
        read_set(*inner, key + ".");
        continue;
      }
      int line = line_of(node);
      set_.line = set_.line == 0 ? line : std::min(set_.line, line);
      std::string text;
      if (const toml::array* list = node.as_array()) {
        for (const toml::node& item : *list) {
          if (!text.empty()) text += ',';
          text += read_scalar(item, key, file_).text;
        }
      } else {
        text = read_scalar(node, key, file_).text;
      }
      set_.values.push_back({ConfigKind::string, fmt::format("{}={}", key, text)});
    }
  }

  const std::string& file_;
  ConfigEntries entries_;
  ConfigEntry set_{"set", {}, true, 0};
};

std::string quote(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') quoted += '\\';
    if (byte < 0x20 || byte == 0x7f) {
      quoted += fmt::format("\\u{:04X}", byte);
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string format_scalar(const ConfigScalar& value) {
  if (value.kind == ConfigKind::string) return quote(value.text);
  if (value.kind != ConfigKind::real) return value.text;
  // TOML tells a real from an integer by its point or exponent.
  bool plain = value.text.find_first_not_of("-0123456789") == std::string::npos;
  return plain ? value.text + ".0" : value.text;
}

// The end of the string literal that begins at `i` (one past its closing quote), or the end of the text.
std::size_t skip_string(std::string_view text, std::size_t i) {
  char quote = text[i];
  std::size_t quotes = text.substr(i).starts_with(std::string(3, quote)) ? 3 : 1;
  for (i += quotes; i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"') {
      ++i;
    } else if (text.substr(i, quotes) == std::string(quotes, quote)) {
      return i + quotes;
    } else if (text[i] == '\n' && quotes == 1) {
      return i;
    }
  }
  return text.size();
}

// toml++ bounds the depth of values but not of dotted keys, whose tables are destroyed recursively: a megabyte of
// "a.a.a" would overflow the stack. No setting is nested deeper than a few.
void refuse_deep_keys(std::string_view text, const std::string& name) {
  constexpr int kDeepestKey = 16;
  int dots = 0, line = 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '"' || c == '\'') {
      std::size_t end = skip_string(text, i);
      line += static_cast<int>(std::count(text.begin() + static_cast<std::ptrdiff_t>(i),
                                          text.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
      i = end - 1;
      continue;
    }
    if (c == '#') i = std::min(text.find('\n', i), text.size() - 1);
    c = text[i];
    line += c == '\n';
    if (c == '\n' || c == ',' || c == '=') dots = 0;
    dots += c == '.';
    require<UsageError>(dots <= kDeepestKey, "a key is nested deeper than {} ({}:{}); use key = value lines",
                        kDeepestKey, name, line);
  }
}

}  // namespace

ConfigEntries parse_config(std::string_view text, const std::string& name) {
  refuse_deep_keys(text, name);
  try {
    Reader reader(name);
    reader.read_table(toml::parse(text, name));
    return reader.finish();
  } catch (const toml::parse_error& failure) {
    raise<UsageError>("not a TOML file: {} ({}:{}:{}); write key = value lines", failure.description(), name,
                      failure.source().begin.line, failure.source().begin.column);
  }
}

ConfigEntries read_config(const std::string& path) {
  constexpr uint64_t kLargest = 1 << 20;  // a configuration is a few kilobytes; this bounds a hostile one
  std::string text;
  try {
    text = read_file(path, kLargest);
  } catch (const IoError& error) {
    raise<UsageError>("the configuration is unusable ({}); check --config", error.what());
  }
  return parse_config(text, path);
}

std::string format_config(std::string_view verb, const ConfigEntries& entries) {
  std::string text =
      fmt::format("# plumb {} --config THIS_FILE repeats this run; flags on the command line win.\n", verb);
  text += fmt::format("verb = {}\n", quote(verb));
  for (const ConfigEntry& entry : entries) {
    std::vector<std::string> values;
    for (const ConfigScalar& value : entry.values) values.push_back(format_scalar(value));
    text += entry.is_list ? fmt::format("{} = [{}]\n", entry.key, fmt::join(values, ", "))
                          : fmt::format("{} = {}\n", entry.key, fmt::join(values, ""));
  }
  return text;
}

void write_config(const std::string& path, std::string_view verb, const ConfigEntries& entries) {
  write_file_atomic(path, format_config(verb, entries));
}

Json to_json(const ConfigEntries& entries) {
  auto convert = [](const ConfigScalar& value) {
    switch (value.kind) {
      case ConfigKind::boolean:
        return Json(value.text == "true");
      case ConfigKind::string:
        return Json(value.text);
      case ConfigKind::integer:
        return Json::parse(value.text);
      case ConfigKind::real:
        break;
    }
    // JSON has no nan and inf; they stay text.
    if (value.text.find_first_of("in") != std::string::npos) return Json(value.text);
    return Json(Json::parse(value.text).as_number());
  };
  Json object = Json::object();
  for (const ConfigEntry& entry : entries) {
    Json list = Json::array();
    for (const ConfigScalar& value : entry.values) list.push_back(convert(value));
    object.set(entry.key, entry.is_list ? list : list[0]);
  }
  return object;
}

}  // namespace plumb
