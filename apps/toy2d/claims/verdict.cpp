#include "apps/toy2d/claims/verdict.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/format.h"

namespace plumb::toy2d {
namespace {

/// A difference that is smaller than this tells nobody anything, however many seeds agree on it.
constexpr double kLower = 0.99;

const char* word(Verdict verdict) {
  if (verdict == Verdict::seen) return "seen";
  return verdict == Verdict::not_seen ? "not seen" : "undetermined";
}

std::string shown(const ClaimCase::Side& side) {
  return fmt::format("{} {:.3f} ±{:.3f}", side.name, side.values->mean(), side.values->deviation());
}

/// A distance that is NaN belongs to a run that diverged: farther than any other.
double distance(double value) { return std::isnan(value) ? std::numeric_limits<double>::infinity() : value; }

int64_t count(const std::vector<bool>& holds) { return std::count(holds.begin(), holds.end(), true); }

}  // namespace

Verdict judge_seeds(const std::vector<bool>& holds, bool holds_in_mean) {
  const int64_t yes = count(holds), all = int64_t(holds.size());
  if (all == 0) return Verdict::undetermined;
  if (5 * yes >= 4 * all && holds_in_mean) return Verdict::seen;
  return 5 * yes <= all && !holds_in_mean ? Verdict::not_seen : Verdict::undetermined;
}

void ClaimCase::lower(const std::string& setting, std::string_view metric, const Side& a, const Side& b,
                      double factor) {
  if (!a.values || !b.values || a.values->values.size() != b.values->values.size()) return;
  const std::vector<double>&x = a.values->values, &y = b.values->values;
  const std::string bound = factor == 1 ? "lower" : fmt::format("below {:g} times", factor);
  if (factor == 1) factor = kLower;
  std::vector<bool> holds;
  for (size_t i = 0; i < x.size(); ++i) holds.push_back(distance(x[i]) < factor * distance(y[i]));
  add(setting, judge_seeds(holds, distance(a.values->mean()) < factor * distance(b.values->mean())),
      fmt::format("{} {}, {}; {} in {} of {}", metric, shown(a), shown(b), bound, count(holds), holds.size()));
}

void ClaimCase::above(const std::string& setting, std::string_view metric, const Side& a, double threshold) {
  if (!a.values) return;
  std::vector<bool> holds;
  for (double value : a.values->values) holds.push_back(value > threshold);
  add(setting, judge_seeds(holds, a.values->mean() > threshold),
      fmt::format("{} {}; above {:g} in {} of {}", metric, shown(a), threshold, count(holds), holds.size()));
}

void ClaimCase::add(const std::string& setting, Verdict verdict, const std::string& numbers) {
  settings_.push_back({setting, verdict, numbers});
}

std::optional<Claim> ClaimCase::judge() const {
  if (settings_.empty()) return std::nullopt;
  const auto all = [&](Verdict verdict) {
    return std::all_of(settings_.begin(), settings_.end(), [=](const Setting& s) { return s.verdict == verdict; });
  };
  const bool any_seen =
      std::any_of(settings_.begin(), settings_.end(), [](const Setting& s) { return s.verdict == Verdict::seen; });
  std::string verdict = word(Verdict::undetermined);
  if (any_seen) verdict = "depends on";
  for (const Verdict one : {Verdict::seen, Verdict::not_seen})
    if (all(one)) verdict = word(one);
  std::string evidence;
  for (const Setting& setting : settings_) {
    if (!evidence.empty()) evidence += kBetweenSettings;
    evidence += setting.name.empty() ? setting.numbers
                                     : fmt::format("{}: {} ({})", setting.name, word(setting.verdict), setting.numbers);
  }
  return Claim{paper_, claim_, verdict, evidence};
}

}  // namespace plumb::toy2d
