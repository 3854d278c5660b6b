#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace plumb {

struct JsonMember;

/// A JSON value. Objects keep the order of their keys, and keys are unique. Integers and floating numbers are distinct:
/// 1 is an integer, 1.0 and 1e0 are numbers. Every accessor that does not fit throws ValueError saying what is there.
class Json {
 public:
  enum class Kind { null, boolean, integer, number, string, array, object };
  using Array = std::vector<Json>;
  using Object = std::vector<JsonMember>;

  Json();
  Json(std::nullptr_t);
  Json(std::same_as<bool> auto value);
  /// Throws ValueError for an unsigned value above 2^63 - 1.
  template <std::integral T>
  requires(!std::same_as<T, bool>) Json(T value);
  Json(double value);
  Json(const char* value);
  Json(std::string_view value);
  Json(std::string value);
  Json(Array values);
  Json(const Json& other);
  Json(Json&& other) noexcept;
  Json& operator=(const Json& other);
  Json& operator=(Json&& other) noexcept;
  ~Json();
  static Json array();
  static Json object();

  /// Reads one JSON text (RFC 8259). Refused, with line and column: anything after the value, duplicate keys, more than
  /// kMaxDepth nested brackets, integers outside int64, numbers that overflow a double, NaN and Infinity, invalid
  /// UTF-8, lone surrogates, comments. A byte order mark is skipped. `source` names the text in messages. Throws
  /// IoError.
  static Json parse(std::string_view text, std::string_view source = "text");
  static constexpr int kMaxDepth = 128;

  /// The text of this value; `indent` >= 0 puts members on lines of their own. Numbers are the shortest that read back
  /// as the same value and kind; NaN and infinities, which JSON lacks, become null.
  /// Throws ValueError for a string that is not UTF-8.
  std::string dump(int indent = -1) const;

  Kind kind() const { return Kind(value_.index()); }
  bool is_null() const { return kind() == Kind::null; }
  bool is_string() const { return kind() == Kind::string; }
  bool is_array() const { return kind() == Kind::array; }
  bool is_object() const { return kind() == Kind::object; }

  bool as_bool() const;
  int64_t as_integer() const;
  /// Integers too.
  double as_number() const;
  const std::string& as_string() const;
  const Array& as_array() const;
  const Object& as_object() const;

  /// Elements of an array or members of an object.
  size_t size() const;
  const Json& operator[](size_t index) const;
  void push_back(Json value);

  /// The member `key` of an object; null pointer when there is none.
  const Json* find(std::string_view key) const;
  /// Throws ValueError naming the key when it is missing.
  const Json& at(std::string_view key) const;
  /// Replaces or appends a member; returns this object for chaining.
  Json& set(std::string_view key, Json value);
  /// Whether there was such a member.
  bool erase(std::string_view key);

  bool operator==(const Json& other) const;

 private:
  friend class JsonBuilder;
  [[noreturn]] static void raise_too_large();
  [[noreturn]] void raise_kind(const char* expected) const;
  void write(std::string& out, int indent, int depth) const;

  // The order of the alternatives is that of Kind.
  std::variant<std::nullptr_t, bool, int64_t, double, std::string, Array, Object> value_;
};

struct JsonMember {
  std::string key;
  Json value;
  bool operator==(const JsonMember&) const = default;
};

// Here, where JsonMember is complete.
Json::Json(std::same_as<bool> auto value) : value_(value) {}

template <std::integral T>
requires(!std::same_as<T, bool>) Json::Json(T value) : value_(int64_t(value)) {
  if (std::unsigned_integral<T> && int64_t(value) < 0) raise_too_large();
}

/// Appends `text` as a JSON string, quotes included. Throws ValueError when it is not UTF-8.
void append_json_string(std::string& out, std::string_view text);

}  // namespace plumb
