#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace plumb {

/// What `--set key=value` collects, in the order given; a key given twice keeps its last value.
using KeyValues = std::vector<std::pair<std::string, std::string>>;

/// Which values a flag takes. Bounds apply to numbers and to each number of a list; choices to strings and each string
/// of a list. NaN and infinities are refused unless `finite` is false.
struct Constraint {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;   // true: `low` itself is refused
  bool high_open = false;  // true: `high` itself is refused
  bool finite = true;
  std::vector<std::string> choices = {};
};

inline Constraint at_least(double low) { return {.low = low}; }
inline Constraint greater_than(double low) { return {.low = low, .low_open = true}; }
inline Constraint positive() { return greater_than(0); }
inline Constraint non_negative() { return at_least(0); }
/// low <= x <= high
inline Constraint between(double low, double high) { return {.low = low, .high = high}; }
/// low < x <= high
inline Constraint above_to(double low, double high) { return {.low = low, .high = high, .low_open = true}; }
/// low <= x < high
inline Constraint from_below(double low, double high) { return {.low = low, .high = high, .high_open = true}; }
inline Constraint one_of(std::vector<std::string> choices) { return {.choices = std::move(choices)}; }

/// An enum behind a flag: its place and how to read and write it; made by Flags::add_choice.
struct EnumTarget {
  void* place;
  void (*set)(void* place, int64_t value);
  int64_t (*get)(const void* place);
  std::vector<int64_t> values;  // parallel to Constraint::choices
};

/// Where a flag's value lives. The pointee must outlive the Flags; its value when added is the default.
/// An optional stays empty unless given, for settings whose default depends on another setting.
using FlagTarget =
    std::variant<bool*, int64_t*, double*, std::string*, std::optional<int64_t>*, std::optional<double>*,
                 std::vector<int64_t>*, std::vector<double>*, std::vector<std::string>*, KeyValues*, EnumTarget>;

/// One row of the flag table. The chained setters refine what Flags::add returned.
struct Flag {
  std::string name;  // without the leading dashes, underscores only
  FlagTarget target;
  std::string help;
  Constraint constraint = {};
  std::vector<std::string> aliases = {};
  std::string placeholder = {};  // what --help shows for the value; empty: chosen by type
  std::string initial = {};      // the default as text
  bool is_positional = false;
  bool is_required = false;
  bool is_advanced = false;   // --help names it, --help_all explains it
  bool is_transient = false;  // about this call, not about the run: left out of config.toml
  bool is_global = false;
  bool is_whole = false;  // of a list: every occurrence is one element, commas and all
  bool given = false;

  Flag& alias(std::string other);
  Flag& shown_as(std::string text);
  Flag& required();
  Flag& advanced();
  Flag& transient();
  /// For a list of strings: `--name "a, b" --name c` has two elements.
  Flag& whole();
};

}  // namespace plumb
