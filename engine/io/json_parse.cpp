#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>

#include "engine/error.h"
#include "engine/io/json.h"
#include "engine/io/json_events.h"
#include "engine/require.h"

// The only file that includes nlohmann/json. Its document type would keep the last of two equal keys, turn 2^64 into a
// float and build any depth, so only its event parser is used, which is iterative: depth costs no stack.

namespace plumb {
namespace {

// Reads chars and tells the handler how far the lexer has come.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, size_t* offset) : at_(at), offset_(offset) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*offset_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  size_t* offset_;
};

// What nlohmann says after "parse error at line L, column C: ", short and printable.
std::string reason_of(const std::exception& error) {
  std::string_view text = error.what();
  if (const size_t start = text.find("] "); start != text.npos) text.remove_prefix(start + 2);
  if (const size_t start = text.find(": "); text.starts_with("parse error") && start != text.npos)
    text.remove_prefix(start + 2);
  std::string reason(text.substr(0, 160));
  if (text.size() > reason.size()) reason += "...";
  for (char& c : reason)
    if (uint8_t(c) < 0x20 || uint8_t(c) >= 0x7F) c = '?';
  return reason;
}

// Between nlohmann's callbacks, whose names and signatures are its own, and ours.
struct SaxAdapter {
  std::string_view text, source;
  int max_depth;
  JsonHandler& handler;
  int depth = 0;

  [[noreturn]] void fail(std::string_view expectation, std::string_view actual) const {
    raise_json_error(text, source, handler.offset, expectation, actual);
  }
  void enter() {
    if (++depth > max_depth) fail("brackets must not nest too deeply", fmt::format("more than {} levels", max_depth));
  }

  bool null() { return handler.on_null(), true; }
  bool boolean(bool value) { return handler.on_bool(value), true; }
  bool number_integer(int64_t value) { return handler.on_integer(value), true; }
  bool number_unsigned(uint64_t value) {
    if (value > uint64_t(INT64_MAX)) fail("integers must fit 64 bits with sign", std::to_string(value));
    return handler.on_integer(int64_t(value)), true;
  }
  bool number_float(double value, const std::string& token) {
    if (token.find_first_not_of("-0123456789") == token.npos)
      fail("integers must fit 64 bits with sign", token.substr(0, 40));
    return handler.on_number(value), true;
  }
  bool string(std::string& value) { return handler.on_string(value), true; }
  bool binary(std::vector<uint8_t>&) { return false; }
  bool key(std::string& value) { return handler.on_key(value), true; }
  bool start_object(size_t) { return enter(), handler.on_begin_object(), true; }
  bool end_object() { return --depth, handler.on_end_object(), true; }
  bool start_array(size_t) { return enter(), handler.on_begin_array(), true; }
  bool end_array() { return --depth, handler.on_end_array(), true; }
  bool parse_error(size_t, const std::string&, const std::exception& error) {
    fail("text must be valid JSON", reason_of(error));
  }
};

}  // namespace

void raise_json_error(std::string_view text, std::string_view source, size_t offset, std::string_view expectation,
                      std::string_view actual) {
  const size_t last = offset == 0 ? 0 : std::min(offset, text.size()) - 1;  // the character read last
  const std::string_view before = text.substr(0, last);
  const size_t line = 1 + size_t(std::count(before.begin(), before.end(), '\n'));
  const size_t line_start = before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1;
  raise<IoError>("json: {} (line {}, column {}: {}); {}", expectation, line, last - line_start + 1, actual, source);
}

void parse_json(std::string_view text, std::string_view source, int max_depth, JsonHandler& handler) {
  if (const size_t nul = text.find('\0'); nul != text.npos)  // the parser would take it for the end
    raise_json_error(text, source, nul + 1, "text must be valid JSON", "NUL byte");
  SaxAdapter adapter{text, source, max_depth, handler};
  handler.offset = 0;
  const CountingIterator begin(text.data(), &handler.offset), end(text.data() + text.size(), &handler.offset);
  nlohmann::json::sax_parse(begin, end, &adapter);
}

/// Builds a Json from events.
class JsonBuilder : public JsonHandler {
 public:
  JsonBuilder(std::string_view text, std::string_view source) : text_(text), source_(source) {}

  void on_null() override { add(Json()); }
  void on_bool(bool value) override { add(Json(value)); }
  void on_integer(int64_t value) override { add(Json(value)); }
  void on_number(double value) override { add(Json(value)); }
  void on_string(std::string& value) override { add(Json(std::move(value))); }
  void on_key(std::string& key) override {
    open_.back().key_offsets.push_back(offset);
    members().push_back({std::move(key), Json()});
  }
  void on_begin_object() override { open_.push_back({Json::object(), {}}); }
  void on_begin_array() override { open_.push_back({Json::array(), {}}); }
  void on_end_object() override {
    check_keys_unique();
    close();
  }
  void on_end_array() override { close(); }

  Json result;

 private:
  struct Open {
    Json value;
    std::vector<size_t> key_offsets;
  };

  Json::Object& members() { return std::get<Json::Object>(open_.back().value.value_); }

  void add(Json value) {
    if (open_.empty())
      result = std::move(value);
    else if (open_.back().value.is_object())
      members().back().value = std::move(value);
    else
      open_.back().value.push_back(std::move(value));
  }

  void close() {
    Json value = std::move(open_.back().value);
    open_.pop_back();
    add(std::move(value));
  }

  // By sorting, not hashing: no input makes it slow.
  void check_keys_unique() {
    const Json::Object& object = members();
    std::vector<size_t> order(object.size());
    std::iota(order.begin(), order.end(), size_t(0));
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      const int compared = object[a].key.compare(object[b].key);
      return compared != 0 ? compared < 0 : a < b;
    });
    for (size_t i = 1; i < order.size(); ++i)
      if (object[order[i]].key == object[order[i - 1]].key) {
        std::string quoted;
        append_json_string(quoted, object[order[i]].key);
        raise_json_error(text_, source_, open_.back().key_offsets[order[i]], "keys of an object must be unique",
                         quoted + " again");
      }
  }

  std::string_view text_, source_;
  std::vector<Open> open_;
};

Json Json::parse(std::string_view text, std::string_view source) {
  JsonBuilder builder(text, source);
  parse_json(text, source, kMaxDepth, builder);
  return std::move(builder.result);
}

}  // namespace plumb
