#pragma once

#include <cstdint>
#include <string_view>

#include "align/objective.h"

namespace plumb::plan {

/// Rows that go through networks in one step, over the number of pairs: 2 is one pass over winners and losers.
struct Forwards {
  double student = 0;
  double frozen = 0;        ///< reference and policy pair while the reference is the initial model
  double frozen_moved = 0;  ///< the same once a reference update has set the two apart
};

/// Counted by running a step of the objective with the policy pair on a small network. Throws as make_objective does.
Forwards count_forwards(std::string_view objective, const ObjectiveSettings& settings, std::string_view policy);

}  // namespace plumb::plan
