#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace plumb {

/// Receives a JSON text piece by piece, for files too large to become a Json. Throw from a callback to stop.
class JsonHandler {
 public:
  virtual ~JsonHandler() = default;
  virtual void on_null() = 0;
  virtual void on_bool(bool value) = 0;
  virtual void on_integer(int64_t value) = 0;
  virtual void on_number(double value) = 0;
  virtual void on_string(std::string& value) = 0;  // may be moved from
  virtual void on_key(std::string& key) = 0;       // may be moved from
  virtual void on_begin_object() = 0;
  virtual void on_end_object() = 0;
  virtual void on_begin_array() = 0;
  virtual void on_end_array() = 0;

  /// Bytes of the text read when the event is raised.
  size_t offset = 0;
};

/// Parses under the rules of Json::parse, except that unique keys are the handler's business, and brackets may nest
/// `max_depth` deep. Throws IoError; lets the handler's exceptions through.
void parse_json(std::string_view text, std::string_view source, int max_depth, JsonHandler& handler);

/// Throws IoError "json: EXPECTATION (line L, column C: ACTUAL); SOURCE" for a byte offset in `text`.
[[noreturn]] void raise_json_error(std::string_view text, std::string_view source, size_t offset,
                                   std::string_view expectation, std::string_view actual);

}  // namespace plumb
