#pragma once

#include "apps/toy2d/claims/verdict.h"
#include "apps/toy2d/study/study.h"

// What each of the four papers claims and the toy can look at, one file a paper, and what it cannot.

namespace plumb::toy2d {

/// The rows of a run, looked up in every setting it has: pair source by sampler of the table, and the study's.
class Findings {
 public:
  Findings(const std::vector<RowSummary>& rows, const Settings& settings, const StudyReport* study)
      : rows_(rows), settings_(settings), study_(study) {}

  const Settings& settings() const { return settings_; }
  const StudyReport* study() const { return study_; }

  /// A metric of METHOD (or reference, noisy, …) in the table; null when absent.
  const Spread* main(const std::string& method, const std::string& pairs, const std::string& sampler,
                     std::string_view metric) const;
  /// A metric of a row of the study; null when absent or there is no study.
  const Spread* of_study(const StudyRowName& name, std::string_view metric) const;

  /// "a is lower than factor * b" in every setting of the table and, where both are there, at tuned settings.
  std::optional<Claim> lower(const char* paper, const std::string& claim, const std::string& a, const std::string& b,
                             std::string_view metric = "sw2", double factor = 1) const;

 private:
  const std::vector<RowSummary>& rows_;
  const Settings& settings_;
  const StudyReport* study_;
};

void append(std::vector<Claim>& claims, std::optional<Claim> claim);

std::vector<Claim> ddspo_claims(const Findings& findings);
std::vector<Claim> dspo_claims(const Findings& findings);
std::vector<Claim> rethinking_claims(const Findings& findings);
std::vector<Claim> self_dpo_claims(const Findings& findings);

/// A claim about something the toy does not have.
Claim beyond_the_toy(const char* paper, const char* claim, const char* why);

}  // namespace plumb::toy2d
