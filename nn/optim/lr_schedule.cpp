#include "nn/optim/lr_schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "engine/require.h"

namespace plumb {
namespace {

constexpr std::array kNames = {"constant",   "constant_with_warmup", "linear", "cosine", "cosine_with_restarts",
                               "polynomial", "inverse_sqrt"};

bool needs_end(LrScheduleKind kind) {
  return kind == LrScheduleKind::linear || kind == LrScheduleKind::cosine ||
         kind == LrScheduleKind::cosine_with_restarts || kind == LrScheduleKind::polynomial;
}

void check(int64_t step, const LrSchedule& s) {
  require<ValueError>(step >= 0 && s.warmup_steps >= 0 && s.final_fraction >= 0 && s.cycles >= 0,
                      "lr schedule: step and settings must not be negative (step {}, warmup {}, final fraction {}, "
                      "cycles {})",
                      step, s.warmup_steps, s.final_fraction, s.cycles);
  require<ValueError>(!needs_end(s.kind) || s.total_steps > s.warmup_steps,
                      "lr schedule: {} needs more steps in all ({}) than in the warm-up ({})", name_of(s.kind),
                      s.total_steps, s.warmup_steps);
}

/// The curve from 1 at the end of the warm-up to 0 at the end.
double shape(int64_t step, const LrSchedule& s) {
  const double progress = double(step - s.warmup_steps) / double(std::max<int64_t>(1, s.total_steps - s.warmup_steps));
  constexpr double kPi = std::numbers::pi;
  switch (s.kind) {
    case LrScheduleKind::linear:
      return std::max(0.0, 1 - progress);
    case LrScheduleKind::cosine:
      return std::max(0.0, 0.5 * (1 + std::cos(kPi * (s.cycles == 0 ? 0.5 : s.cycles) * 2 * progress)));
    case LrScheduleKind::cosine_with_restarts:
      if (progress >= 1) return 0;
      return 0.5 * (1 + std::cos(kPi * std::fmod((s.cycles == 0 ? 1 : s.cycles) * progress, 1.0)));
    default:
      return progress > 1 ? 0 : std::pow(1 - progress, s.power);
  }
}

}  // namespace

double lr_factor(int64_t step, const LrSchedule& schedule) {
  check(step, schedule);
  if (schedule.kind == LrScheduleKind::constant) return 1;
  if (step < schedule.warmup_steps) return double(step) / double(schedule.warmup_steps);
  if (schedule.kind == LrScheduleKind::constant_with_warmup) return 1;
  if (schedule.kind == LrScheduleKind::inverse_sqrt)
    return step == 0 ? 1 : std::sqrt(double(std::max<int64_t>(1, schedule.warmup_steps)) / double(step));
  return schedule.final_fraction + (1 - schedule.final_fraction) * shape(step, schedule);
}

LrScheduleKind lr_schedule_kind(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i)
    if (name == kNames[i]) return LrScheduleKind(i);
  raise<ValueError>("lr schedule: name must be one of {} ({})", fmt::join(kNames, ", "), name);
}

const char* name_of(LrScheduleKind kind) { return kNames[size_t(kind)]; }

}  // namespace plumb
