#include "align/option_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/format.h"
#include "engine/require.h"

namespace plumb {

OptionReader::OptionReader(std::string_view objective, const ObjectiveSettings& settings)
    : objective_(objective), settings_(settings) {}

const std::string* OptionReader::find(std::string_view key) {
  known_.emplace_back(key);
  const std::string* value = nullptr;
  for (const auto& [name, text] : settings_) {
    if (name != key) continue;
    require<ValueError>(!value, "{}: option {} is given twice", objective_, key);
    value = &text;
  }
  return value;
}

double OptionReader::number(std::string_view key, double fallback) {
  const std::string* text = find(key);
  if (!text) return fallback;
  double value = 0;
  const char* end = text->data() + text->size();
  const auto [rest, error] = std::from_chars(text->data(), end, value);
  require<ValueError>(error == std::errc() && rest == end && std::isfinite(value),
                      "{}: option {} must be a finite number ({})", objective_, key, *text);
  return value;
}

double OptionReader::non_negative(std::string_view key, double fallback) {
  const double value = number(key, fallback);
  require<ValueError>(value >= 0, "{}: option {} must not be negative ({})", objective_, key, value);
  return value;
}

size_t OptionReader::choice(std::string_view key, const std::vector<std::string_view>& choices, size_t fallback) {
  const std::string* text = find(key);
  if (!text) return fallback;
  const auto found = std::find(choices.begin(), choices.end(), *text);
  require<ValueError>(found != choices.end(), "{}: option {} must be one of {} ({})", objective_, key,
                      fmt::join(choices, ", "), *text);
  return size_t(found - choices.begin());
}

void OptionReader::finish() const {
  for (const auto& [name, text] : settings_)
    require<ValueError>(std::find(known_.begin(), known_.end(), name) != known_.end(),
                        "{}: unknown option {}; known: {}", objective_, name, fmt::join(known_, ", "));
}

Reduction read_reduction(OptionReader& read) {
  return read.choice("reduction", {"mean", "sum"}, 0) == 0 ? Reduction::mean : Reduction::sum;
}

}  // namespace plumb
