#include "apps/common/flag_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/io/utf8.h"

namespace plumb {
namespace {

// from_chars takes no leading '+', which people write.
std::string_view without_plus(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  return text;
}

template <class T>
bool parse_number(std::string_view text, T& value) {
  text = without_plus(text);
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc() && end == text.data() + text.size();
}

bool allowed(double value, const Constraint& c) {
  if (c.finite && !std::isfinite(value)) return false;
  if (std::isnan(value)) return true;
  return (c.low_open ? value > c.low : value >= c.low) && (c.high_open ? value < c.high : value <= c.high);
}

bool parse(const std::string& text, const Constraint& c, int64_t& value) {
  if (!parse_number(text, value)) {
    // "5e3" is a count too; beyond 2^53 a double no longer names one integer.
    double real = 0;
    if (!parse_number(text, real) || real != std::floor(real) || std::abs(real) > 9007199254740992.0) return false;
    value = static_cast<int64_t>(real);
  }
  return allowed(static_cast<double>(value), c);
}

bool parse(const std::string& text, const Constraint& c, double& value) {
  return parse_number(text, value) && allowed(value, c);
}

bool parse(const std::string& text, const Constraint& c, std::string& value) {
  bool known = c.choices.empty() || std::find(c.choices.begin(), c.choices.end(), text) != c.choices.end();
  if (!known || !is_utf8(text) || text.find('\0') != std::string::npos) return false;
  value = text;
  return true;
}

bool parse(const std::string& text, const Constraint&, bool& value) {
  bool yes = text == "true" || text == "1", no = text == "false" || text == "0";
  if (yes || no) value = yes;
  return yes || no;
}

// Stores a scalar, an optional, or a list of what parse() knows.
struct Store {
  const Constraint& constraint;
  const std::vector<std::string>& texts;
  std::string& culprit;

  template <class T>
  bool operator()(T* place) const {
    T value{};
    culprit = texts.empty() ? "" : texts.back();
    if (texts.empty() || !parse(culprit, constraint, value)) return false;
    *place = std::move(value);
    return true;
  }

  template <class T>
  bool operator()(std::optional<T>* place) const {
    T value{};
    if (!(*this)(&value)) return false;
    *place = value;
    return true;
  }

  template <class T>
  bool operator()(std::vector<T>* place) const {
    std::vector<T> values(texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      culprit = texts[i];
      if (!parse(texts[i], constraint, values[i])) return false;
    }
    *place = std::move(values);
    return true;
  }

  bool operator()(KeyValues* place) const {
    KeyValues merged = *place;
    for (const std::string& text : texts) {
      culprit = text;
      std::size_t equals = text.find('=');
      if (equals == 0 || equals == std::string::npos || !is_utf8(text)) return false;
      std::string key = text.substr(0, equals), value = text.substr(equals + 1);
      auto same = std::find_if(merged.begin(), merged.end(), [&](const auto& pair) { return pair.first == key; });
      if (same == merged.end()) {
        merged.emplace_back(std::move(key), std::move(value));
      } else {
        same->second = std::move(value);
      }
    }
    *place = std::move(merged);
    return true;
  }

  bool operator()(const EnumTarget& target) const {
    culprit = texts.empty() ? "" : texts.back();
    auto found = std::find(constraint.choices.begin(), constraint.choices.end(), culprit);
    if (found == constraint.choices.end()) return false;
    target.set(target.place, target.values[static_cast<std::size_t>(found - constraint.choices.begin())]);
    return true;
  }
};

struct Describe {
  std::string operator()(const bool*) const { return "true or false"; }
  std::string operator()(const int64_t*) const { return "an integer"; }
  std::string operator()(const double*) const { return "a number"; }
  std::string operator()(const std::string*) const { return "UTF-8 text"; }
  std::string operator()(const std::optional<int64_t>*) const { return "an integer"; }
  std::string operator()(const std::optional<double>*) const { return "a number"; }
  std::string operator()(const std::vector<int64_t>*) const { return "comma separated integers"; }
  std::string operator()(const std::vector<double>*) const { return "comma separated numbers"; }
  std::string operator()(const std::vector<std::string>*) const { return "comma separated names"; }
  std::string operator()(const KeyValues*) const { return "key=value"; }
  std::string operator()(const EnumTarget&) const { return "a name"; }
};

std::string describe_range(const Constraint& c) {
  bool low = std::isfinite(c.low), high = std::isfinite(c.high);
  if (low && high) {
    return fmt::format(" in {}{}, {}{}", c.low_open ? '(' : '[', c.low, c.high, c.high_open ? ')' : ']');
  }
  if (low) return fmt::format(" {} {}", c.low_open ? "greater than" : "at least", c.low);
  if (high) return fmt::format(" {} {}", c.high_open ? "less than" : "at most", c.high);
  return "";
}

ConfigScalar scalar(bool value) { return {ConfigKind::boolean, value ? "true" : "false"}; }
ConfigScalar scalar(int64_t value) { return {ConfigKind::integer, fmt::format("{}", value)}; }
ConfigScalar scalar(double value) { return {ConfigKind::real, format_real(value)}; }
ConfigScalar scalar(const std::string& value) { return {ConfigKind::string, value}; }

struct Read {
  const Constraint& constraint;

  template <class T>
  std::vector<ConfigScalar> operator()(const T* place) const {
    return {scalar(*place)};
  }
  template <class T>
  std::vector<ConfigScalar> operator()(const std::optional<T>* place) const {
    if (!*place) return {};
    return {scalar(**place)};
  }
  template <class T>
  std::vector<ConfigScalar> operator()(const std::vector<T>* place) const {
    std::vector<ConfigScalar> values;
    for (const T& item : *place) values.push_back(scalar(item));
    return values;
  }
  std::vector<ConfigScalar> operator()(const KeyValues* place) const {
    std::vector<ConfigScalar> values;
    for (const auto& [key, value] : *place) values.push_back(scalar(fmt::format("{}={}", key, value)));
    return values;
  }
  std::vector<ConfigScalar> operator()(const EnumTarget& target) const {
    auto found = std::find(target.values.begin(), target.values.end(), target.get(target.place));
    if (found == target.values.end()) return {};
    return {scalar(constraint.choices[static_cast<std::size_t>(found - target.values.begin())])};
  }
};

}  // namespace

bool store_value(Flag& flag, const std::vector<std::string>& texts, std::string& culprit) {
  return std::visit(Store{flag.constraint, texts, culprit}, flag.target);
}

std::string describe_expected(const Flag& flag) {
  const Constraint& c = flag.constraint;
  if (!c.choices.empty()) return fmt::format("one of {}", fmt::join(c.choices, ", "));
  return std::visit(Describe{}, flag.target) + describe_range(c) + (c.finite ? "" : ", nan and inf allowed");
}

std::string describe_placeholder(const Flag& flag) {
  if (!flag.placeholder.empty()) return flag.placeholder;
  constexpr std::size_t kLongestChoiceList = 24;
  std::string choices = fmt::format("{}", fmt::join(flag.constraint.choices, is_list(flag) ? "," : "|"));
  if (!choices.empty()) return choices.size() <= kLongestChoiceList ? choices : "NAME";
  switch (flag.target.index()) {
    case 0:
      return "";
    case 1:
    case 4:
      return "N";
    case 2:
    case 5:
      return "X";
    case 6:
      return "N,N";
    case 7:
      return "X,X";
    case 8:
      return "A,B";
    case 9:
      return "K=V";
    default:
      return "TEXT";
  }
}

ConfigEntry current_value(const Flag& flag) {
  return {flag.name, std::visit(Read{flag.constraint}, flag.target), is_list(flag), 0};
}

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> items;
  if (text.empty()) return items;
  for (std::size_t begin = 0;;) {
    std::size_t comma = text.find(',', begin);
    items.push_back(text.substr(begin, comma - begin));
    if (comma == std::string::npos) return items;
    begin = comma + 1;
  }
}

bool takes_kind(const Flag& flag, ConfigKind kind) {
  bool number = kind == ConfigKind::integer || kind == ConfigKind::real;
  switch (flag.target.index()) {
    case 0:
      return kind == ConfigKind::boolean;
    case 3:
    case 8:
    case 9:
    case 10:
      return kind == ConfigKind::string;
    default:
      return number;
  }
}

bool is_key_values(const Flag& flag) { return std::holds_alternative<KeyValues*>(flag.target); }
bool is_switch(const Flag& flag) { return std::holds_alternative<bool*>(flag.target); }
bool is_list(const Flag& flag) { return flag.target.index() >= 6 && flag.target.index() <= 9; }

std::string format_real(double value) {
  char text[32];
  auto [end, failure] = std::to_chars(text, text + sizeof text, value);
  return std::string(text, end);
}

}  // namespace plumb
