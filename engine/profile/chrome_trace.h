#pragma once

#include <string>

#include "engine/profile/profile.h"
#include "engine/profile/roofline.h"

namespace plumb {

/// The profile in the Trace Event Format that chrome://tracing and https://ui.perfetto.dev open: one complete event
/// ("X") an op, node and range, with shapes, bytes, GFLOP/s and the share of the roofline among its arguments, and
/// counters ("C") of the bytes in use. One event a line; times in microseconds.
std::string chrome_trace(const Profile& profile, const Roofline& roofline);

}  // namespace plumb
