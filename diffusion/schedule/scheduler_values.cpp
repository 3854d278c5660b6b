#include "diffusion/schedule/scheduler_values.h"

#include <cmath>

#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

[[noreturn]] void raise_type(const char* expected, const Json& found, SchedulerKey at) {
  raise<ValueError>("{}: {} must be {} ({})", at.source, at.key, expected, found.dump());
}

bool is_number(const Json& json) { return json.kind() == Json::Kind::integer || json.kind() == Json::Kind::number; }

}  // namespace

std::span<const char* const> words_of(BetaSchedule) {
  static constexpr const char* words[] = {"linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid"};
  return words;
}

std::span<const char* const> words_of(Prediction) {
  static constexpr const char* words[] = {"epsilon", "sample", "v_prediction", "flow_prediction"};
  return words;
}

std::span<const char* const> words_of(TimestepSpacing) {
  static constexpr const char* words[] = {"leading", "linspace", "trailing"};
  return words;
}

std::span<const char* const> words_of(VarianceType) {
  static constexpr const char* words[] = {"fixed_small",     "fixed_small_log", "fixed_large",
                                          "fixed_large_log", "learned",         "learned_range"};
  return words;
}

std::span<const char* const> words_of(AlgorithmType) {
  static constexpr const char* words[] = {"dpmsolver", "dpmsolver++", "sde-dpmsolver", "sde-dpmsolver++"};
  return words;
}

std::span<const char* const> words_of(SolverType) {
  static constexpr const char* words[] = {"midpoint", "heun", "bh1", "bh2"};
  return words;
}

std::span<const char* const> words_of(FinalSigmas) {
  static constexpr const char* words[] = {"zero", "sigma_min"};
  return words;
}

std::span<const char* const> words_of(SigmaInterpolation) {
  static constexpr const char* words[] = {"linear", "log_linear"};
  return words;
}

size_t read_word(const Json& json, std::span<const char* const> words, SchedulerKey at) {
  // Words of other solvers, in files made from one of theirs: diffusers reads them as these.
  const std::string& word = json.is_string() ? json.as_string() : "";
  const std::string_view meant = word == "deis"     ? "dpmsolver++"
                                 : word == "logrho" ? "midpoint"
                                                    : std::string_view(word);
  std::string choices;
  for (size_t i = 0; i < words.size(); ++i) {
    if (meant == words[i] && !meant.empty()) return i;
    choices += i == 0 ? "" : i + 1 == words.size() ? " or " : ", ";
    choices += words[i];
  }
  raise_type(choices.c_str(), json, at);
}

void read_value(const Json& json, bool& value, SchedulerKey at) {
  if (json.kind() != Json::Kind::boolean) raise_type("true or false", json, at);
  value = json.as_bool();
}

void read_value(const Json& json, int64_t& value, SchedulerKey at) {
  const bool whole =
      is_number(json) && json.as_number() == std::nearbyint(json.as_number()) && std::abs(json.as_number()) < 0x1p53;
  if (!whole) raise_type("a whole number", json, at);
  value = int64_t(json.as_number());
}

void read_value(const Json& json, double& value, SchedulerKey at) {
  if (!is_number(json)) raise_type("a number", json, at);
  value = json.as_number();
}

void read_value(const Json& json, std::string& value, SchedulerKey at) {
  if (!json.is_string()) raise_type("a word", json, at);
  value = json.as_string();
}

void read_value(const Json& json, std::optional<double>& value, SchedulerKey at) {
  read_value(json, value.emplace(), at);
}

void read_value(const Json& json, std::vector<int64_t>& value, SchedulerKey at) {
  if (!json.is_array()) raise_type("a list of whole numbers", json, at);
  value.clear();
  for (const Json& entry : json.as_array()) read_value(entry, value.emplace_back(), at);
}

void read_value(const Json& json, std::vector<double>& value, SchedulerKey at) {
  if (!json.is_array()) raise_type("a list of numbers", json, at);
  value.clear();
  for (const Json& entry : json.as_array()) read_value(entry, value.emplace_back(), at);
}

Json write_value(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json write_value(const std::vector<int64_t>& value) { return Json(Json::Array(value.begin(), value.end())); }

Json write_value(const std::vector<double>& value) {
  return value.empty() ? Json(nullptr) : Json(Json::Array(value.begin(), value.end()));
}

}  // namespace plumb
