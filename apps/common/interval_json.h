#pragma once

#include "engine/io/json.h"
#include "nn/metrics/cluster_bootstrap.h"

namespace plumb {

/// {"mean", "low", "high"}, as metrics.json holds every interval; NaN becomes null.
inline Json to_json(const Interval& interval) {
  return Json::object().set("mean", interval.mean).set("low", interval.low).set("high", interval.high);
}

}  // namespace plumb
