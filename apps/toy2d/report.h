#pragma once

#include <vector>

#include "apps/toy2d/claims/claims.h"
#include "apps/toy2d/summary.h"
#include "engine/io/json.h"

namespace plumb::toy2d {

template <class T>
Json list_of(const std::vector<T>& values) {
  Json list = Json::array();
  for (const T& value : values) list.push_back(value);
  return list;
}

/// {NAME: {mean, std, values}}.
Json spreads_json(const std::vector<std::pair<std::string_view, Spread>>& spreads);

/// metrics.json: {"settings", "rows": [{method, pairs, sampler, pairs_per_class, seeds, metrics: {NAME: {mean, std,
/// values}}}], "curves", "claims": [{paper, claim, verdict, evidence}]}, and "study" (study/study.h) where there was
/// one.
Json metrics_json(const Settings& settings, const std::vector<Method>& methods, const Results& results,
                  const std::vector<RowSummary>& rows, const std::vector<Claim>& claims,
                  const StudyReport* study = nullptr);

/// One object of log.jsonl.
Json log_json(const LogLine& line);

/// samples.safetensors: METHOD/PAIRS/SAMPLER/seedS, f32 [classes, samples, 2], and centers [classes, 2].
void write_samples(const std::string& path, const Results& results);

}  // namespace plumb::toy2d
