#include "engine/io/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "engine/error.h"
#include "engine/io/utf8.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr const char* kKindNames[] = {"null",     "a boolean", "an integer", "a number",
                                      "a string", "an array",  "an object"};

void append_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  char buffer[32];
  const std::to_chars_result end = std::to_chars(buffer, buffer + sizeof buffer, value);
  const std::string_view digits(buffer, size_t(end.ptr - buffer));
  out += digits;
  if (digits.find_first_of(".e") == digits.npos) out += ".0";  // stays a number when read back
}

void append_line(std::string& out, int indent, int depth) {
  if (indent < 0) return;
  out += '\n';
  out.append(size_t(indent) * size_t(depth), ' ');
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  require<ValueError>(is_utf8(text), "json: strings must be UTF-8 ({} bytes that are not)", text.size());
  constexpr std::string_view kEscaped = "\"\\\b\f\n\r\t", kLetters = "\"\\bfnrt";
  out += '"';
  for (const char c : text) {
    if (const size_t which = kEscaped.find(c); which != kEscaped.npos) {
      out += '\\';
      out += kLetters[which];
    } else if (uint8_t(c) < 0x20) {
      out += fmt::format("\\u{:04x}", unsigned(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

Json::Json() = default;
Json::Json(std::nullptr_t) {}
Json::Json(double value) : value_(value) {}
Json::Json(const char* value) : value_(std::string(value)) {}
Json::Json(std::string_view value) : value_(std::string(value)) {}
Json::Json(std::string value) : value_(std::move(value)) {}
Json::Json(Array values) : value_(std::move(values)) {}
Json::Json(const Json& other) = default;
Json::Json(Json&& other) noexcept = default;
Json& Json::operator=(const Json& other) = default;
Json& Json::operator=(Json&& other) noexcept = default;
Json::~Json() = default;
Json Json::array() { return Json(Array{}); }

void Json::raise_too_large() {
  raise<ValueError>("json: integers must fit 64 bits with sign (an unsigned value above)");
}

void Json::raise_kind(const char* expected) const {
  std::string text;
  if (kind() <= Kind::string) text = dump();
  if (text.size() > 40) text = text.substr(0, 40) + "...";
  raise<ValueError>("json: expected {} ({}{}{})", expected, kKindNames[value_.index()], text.empty() ? "" : ": ", text);
}

Json Json::object() {
  Json json;
  json.value_ = Object{};
  return json;
}

bool Json::as_bool() const {
  if (kind() != Kind::boolean) raise_kind("a boolean");
  return std::get<bool>(value_);
}

int64_t Json::as_integer() const {
  if (kind() != Kind::integer) raise_kind("an integer");
  return std::get<int64_t>(value_);
}

double Json::as_number() const {
  if (kind() == Kind::integer) return double(std::get<int64_t>(value_));
  if (kind() != Kind::number) raise_kind("a number");
  return std::get<double>(value_);
}

const std::string& Json::as_string() const {
  if (kind() != Kind::string) raise_kind("a string");
  return std::get<std::string>(value_);
}

const Json::Array& Json::as_array() const {
  if (kind() != Kind::array) raise_kind("an array");
  return std::get<Array>(value_);
}

const Json::Object& Json::as_object() const {
  if (kind() != Kind::object) raise_kind("an object");
  return std::get<Object>(value_);
}

size_t Json::size() const { return is_array() ? as_array().size() : as_object().size(); }

const Json& Json::operator[](size_t index) const {
  const Array& values = as_array();
  require<ValueError>(index < values.size(), "json: array has no element {} ({} elements)", index, values.size());
  return values[index];
}

void Json::push_back(Json value) {
  as_array();
  std::get<Array>(value_).push_back(std::move(value));
}

const Json* Json::find(std::string_view key) const {
  for (const JsonMember& member : as_object())
    if (member.key == key) return &member.value;
  return nullptr;
}

const Json& Json::at(std::string_view key) const {
  const Json* value = find(key);
  require<ValueError>(value, "json: object has no member \"{}\" ({} members)", key, size());
  return *value;
}

Json& Json::set(std::string_view key, Json value) {
  if (const Json* present = find(key))
    *const_cast<Json*>(present) = std::move(value);
  else
    std::get<Object>(value_).push_back({std::string(key), std::move(value)});
  return *this;
}

bool Json::erase(std::string_view key) {
  as_object();
  return std::erase_if(std::get<Object>(value_), [&](const JsonMember& member) { return member.key == key; }) > 0;
}

bool Json::operator==(const Json& other) const { return value_ == other.value_; }

std::string Json::dump(int indent) const {
  std::string out;
  write(out, indent, 0);
  return out;
}

void Json::write(std::string& out, int indent, int depth) const {
  const char* separator = "";
  switch (kind()) {
    case Kind::null:
      out += "null";
      return;
    case Kind::boolean:
      out += as_bool() ? "true" : "false";
      return;
    case Kind::integer:
      out += std::to_string(as_integer());
      return;
    case Kind::number:
      append_number(out, as_number());
      return;
    case Kind::string:
      append_json_string(out, as_string());
      return;
    case Kind::array:
      out += '[';
      for (const Json& value : as_array()) {
        out += std::exchange(separator, indent < 0 ? ", " : ",");
        append_line(out, indent, depth + 1);
        value.write(out, indent, depth + 1);
      }
      if (size() > 0) append_line(out, indent, depth);
      out += ']';
      return;
    case Kind::object:
      out += '{';
      for (const JsonMember& member : as_object()) {
        out += std::exchange(separator, indent < 0 ? ", " : ",");
        append_line(out, indent, depth + 1);
        append_json_string(out, member.key);
        out += ": ";
        member.value.write(out, indent, depth + 1);
      }
      if (size() > 0) append_line(out, indent, depth);
      out += '}';
      return;
  }
}

}  // namespace plumb
