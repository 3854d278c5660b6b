#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apps/common/spread.h"
#include "apps/toy2d/experiment.h"

namespace plumb::toy2d {

struct RowSummary {
  RowName row;
  std::vector<int64_t> seeds;
  std::vector<std::pair<std::string_view, Spread>> metrics;  ///< in the order of kMetricNames

  const Spread& operator[](std::string_view metric) const;
};

/// Every metric of a row, by the name of the files.
inline constexpr std::array<std::string_view, 9> kMetricNames = {
    "accuracy", "center_distance", "radial_shift", "spread", "sw2", "energy", "outliers", "overlap", "score_error"};

/// Groups results by row, keeping their order.
std::vector<RowSummary> summarize(const Results& results);

/// The row, or null.
const RowSummary* find_row(const std::vector<RowSummary>& rows, const RowName& name);

/// The table of the terminal: one line a row, mean ± deviation.
std::string format_table(const std::vector<RowSummary>& rows);

}  // namespace plumb::toy2d
