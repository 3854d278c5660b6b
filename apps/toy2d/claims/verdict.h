#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/toy2d/summary.h"

namespace plumb::toy2d {

/// What a paper says, or what we hold ourselves to, and whether this run shows it.
struct Claim {
  std::string paper;
  std::string claim;
  std::string verdict;   ///< "seen", "not seen", "undetermined" or "depends on"
  std::string evidence;  ///< the numbers, a setting at a time
};

/// What stands between the settings of a claim's evidence.
inline constexpr std::string_view kBetweenSettings = " | ";

enum class Verdict { seen, not_seen, undetermined };

/// Of one setting, from one answer a seed: seen when it holds in four seeds of five and in the mean; not seen when it
/// fails in four of five and in the mean; undetermined when the seeds disagree.
Verdict judge_seeds(const std::vector<bool>& holds, bool holds_in_mean);

/// One claim, looked at in several settings (pair source, sampler, steps, tuned or not).
///   ClaimCase claim("DDSPO", "training-free does better than Diffusion-DPO");
///   claim.lower("clean, ddim25", "sw2", {"ddspo_tf", &a}, {"diffusion_dpo", &b});
///   claims.push_back(claim.judge());
class ClaimCase {
 public:
  ClaimCase(std::string paper, std::string claim) : paper_(std::move(paper)), claim_(std::move(claim)) {}

  /// A metric of a row under the row's name; values null: the row is not in this run.
  struct Side {
    std::string name;
    const Spread* values = nullptr;
  };

  /// Holds where a < factor * b, seed by seed; the factor 1 stands for 0.99, so that two methods whose numbers agree to
  /// a hundredth are not told apart. Nothing is added when a side is absent or the seeds differ in number.
  void lower(const std::string& setting, std::string_view metric, const Side& a, const Side& b, double factor = 1);
  /// Holds where a > threshold.
  void above(const std::string& setting, std::string_view metric, const Side& a, double threshold);
  /// Holds where the caller says so.
  void add(const std::string& setting, Verdict verdict, const std::string& numbers);

  /// seen or not seen when every setting says so; depends on when it is seen in some settings and not in others;
  /// undetermined otherwise. Empty when there is no setting.
  std::optional<Claim> judge() const;

 private:
  struct Setting {
    std::string name;
    Verdict verdict;
    std::string numbers;
  };

  std::string paper_, claim_;
  std::vector<Setting> settings_;
};

}  // namespace plumb::toy2d
