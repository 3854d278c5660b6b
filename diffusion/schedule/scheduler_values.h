#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "diffusion/schedule/scheduler_config.h"

// Values of a scheduler configuration in JSON; an enumeration is written as diffusers' word for it.

namespace plumb {

/// Where a value stands, for messages.
struct SchedulerKey {
  std::string_view source, key;
};

/// diffusers' words, in the order of the enumerators; words past the last one are read as alias_of() says.
std::span<const char* const> words_of(BetaSchedule);
std::span<const char* const> words_of(Prediction);
std::span<const char* const> words_of(TimestepSpacing);
std::span<const char* const> words_of(VarianceType);
std::span<const char* const> words_of(AlgorithmType);
std::span<const char* const> words_of(SolverType);
std::span<const char* const> words_of(FinalSigmas);
std::span<const char* const> words_of(SigmaInterpolation);

/// Index of the word, or ValueError naming the choices.
size_t read_word(const Json& json, std::span<const char* const> words, SchedulerKey at);

/// All throw ValueError naming source and key when the value is of another type.
void read_value(const Json& json, bool& value, SchedulerKey at);
void read_value(const Json& json, int64_t& value, SchedulerKey at);
void read_value(const Json& json, double& value, SchedulerKey at);
void read_value(const Json& json, std::string& value, SchedulerKey at);
void read_value(const Json& json, std::optional<double>& value, SchedulerKey at);
void read_value(const Json& json, std::vector<int64_t>& value, SchedulerKey at);
void read_value(const Json& json, std::vector<double>& value, SchedulerKey at);
template <class Enum>
requires std::is_enum_v<Enum>
void read_value(const Json& json, Enum& value, SchedulerKey at) { value = Enum(read_word(json, words_of(value), at)); }

template <class T>
requires(!std::is_enum_v<T>) Json write_value(const T& value) { return Json(value); }
template <class Enum>
requires std::is_enum_v<Enum> Json write_value(Enum value) { return words_of(value)[size_t(value)]; }
Json write_value(const std::optional<double>& value);
Json write_value(const std::vector<int64_t>& value);
/// Nothing is null, as diffusers has it.
Json write_value(const std::vector<double>& value);

}  // namespace plumb
