#pragma once

#include <string>
#include <vector>

#include "apps/toy2d/summary.h"

namespace plumb::toy2d {

/// What a paper says, or what we hold ourselves to, and whether this run shows it.
struct Claim {
  std::string paper;
  std::string claim;
  std::string verdict;   ///< "seen" or "not seen"
  std::string evidence;  ///< the numbers
};

/// Judges every claim whose rows are in the table, with the first sampler of the run. A comparison of two methods is
/// seen when the means are in order and so are at least four seeds in five.
/// The project's own bars were set for the default world and settings, and are left out elsewhere.
std::vector<Claim> judge_claims(const std::vector<RowSummary>& rows, const Settings& settings);

/// For the terminal.
std::string format_claims(const std::vector<Claim>& claims);

/// What the toy cannot show, to be read with the table.
std::string_view caveats();

}  // namespace plumb::toy2d
