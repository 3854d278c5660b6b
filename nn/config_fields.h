#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "engine/error.h"
#include "engine/io/json.h"

// Options as members of a config.json, both ways. A struct of options has one function that calls
// use("its_key", its_member) for each of them; ConfigValue says how a member is written.

namespace plumb {

/// read() throws ValueError when the value has the wrong kind.
template <class T>
struct ConfigValue;

template <>
struct ConfigValue<bool> {
  static bool read(const Json& from) { return from.as_bool(); }
  static Json write(bool value) { return value; }
};

template <>
struct ConfigValue<int64_t> {
  static int64_t read(const Json& from) { return from.as_integer(); }
  static Json write(int64_t value) { return value; }
};

/// Whole numbers are written as integers, as these files have them.
template <>
struct ConfigValue<double> {
  static double read(const Json& from) { return from.as_number(); }
  static Json write(double value) {
    return std::abs(value) < 1e15 && value == std::floor(value) ? Json(int64_t(value)) : Json(value);
  }
};

/// Python's None is the empty string.
template <>
struct ConfigValue<std::string> {
  static std::string read(const Json& from) { return from.is_null() ? "" : from.as_string(); }
  static Json write(const std::string& value) { return value.empty() ? Json() : Json(value); }
};

template <class T>
struct ConfigValue<std::optional<T>> {
  static std::optional<T> read(const Json& from) {
    if (from.is_null()) return {};
    return ConfigValue<T>::read(from);
  }
  static Json write(const std::optional<T>& value) { return value ? ConfigValue<T>::write(*value) : Json(); }
};

template <class T>
struct ConfigValue<std::vector<T>> {
  static std::vector<T> read(const Json& from) {
    std::vector<T> values;
    for (const Json& each : from.as_array()) values.push_back(ConfigValue<T>::read(each));
    return values;
  }
  static Json write(const std::vector<T>& values) {
    Json list = Json::array();
    for (const T& each : values) list.push_back(ConfigValue<T>::write(each));
    return list;
  }
};

/// A key of something we do not have, and the value that leaves it out.
struct ConfigDefault {
  const char* key;
  Json value;
};

/// A key that does not concern the network: it begins with an underscore.
inline bool is_private_key(std::string_view key) { return key.starts_with("_"); }

/// Throws ValueError "CLASS config: KEY is not supported unless it is VALUE (GOT)" unless this key of the list has its
/// value or null; returns whether the list has the key.
bool check_config_default(const char* class_name, std::initializer_list<ConfigDefault> defaults,
                          const JsonMember& member);

/// Reads every key of `config` into options: those that for_each(options, use) knows, after those of `defaults` and
/// private ones were passed over. Absent keys leave their member alone. Throws ValueError naming the key.
template <class Options, class ForEach>
void read_config(const char* class_name, const Json& config, std::initializer_list<ConfigDefault> defaults,
                 Options& options, ForEach for_each) {
  for (const JsonMember& given : config.as_object()) {
    if (is_private_key(given.key) || check_config_default(class_name, defaults, given)) continue;
    bool known = false;
    for_each(options, [&]<class T>(std::string_view key, T& member) {
      if (key != given.key) return;
      known = true;
      try {
        member = ConfigValue<T>::read(given.value);
      } catch (const ValueError& error) {
        throw ValueError(std::string(class_name) + " config: " + given.key + ": " + error.what());
      }
    });
    if (!known) throw ValueError(std::string(class_name) + " config: unknown key \"" + given.key + "\"");
  }
}

/// The config.json of these options, `_class_name` first.
template <class Options, class ForEach>
Json write_config(const char* class_name, Options options, ForEach for_each) {
  Json config = Json::object();
  config.set("_class_name", class_name);
  for_each(options,
           [&]<class T>(std::string_view key, const T& member) { config.set(key, ConfigValue<T>::write(member)); });
  return config;
}

}  // namespace plumb
