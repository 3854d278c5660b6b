#pragma once

#include <string>
#include <vector>

#include "apps/toy2d/claims/verdict.h"
#include "apps/toy2d/study/study.h"
#include "apps/toy2d/summary.h"

namespace plumb::toy2d {

/// Judges every claim of the four papers whose rows are in the run, in every setting the run has, then the project's
/// own bars, which were set for the default world and settings and are left out elsewhere. `study` may be null.
std::vector<Claim> judge_claims(const std::vector<RowSummary>& rows, const Settings& settings,
                                const StudyReport* study = nullptr);

/// For the terminal.
std::string format_claims(const std::vector<Claim>& claims);

/// What the toy cannot show, to be read with the table.
std::string_view caveats();

}  // namespace plumb::toy2d
