#pragma once

#include <cstdint>
#include <string_view>

namespace plumb {

enum class LrScheduleKind : uint8_t {
  constant,
  constant_with_warmup,
  linear,
  cosine,
  cosine_with_restarts,
  polynomial,
  inverse_sqrt,
};

struct LrSchedule {
  LrScheduleKind kind = LrScheduleKind::constant;
  int64_t warmup_steps = 0;
  int64_t total_steps = 0;  ///< used by linear, both cosines and polynomial
  /// Floor as a share of the base rate, for linear, both cosines and polynomial (there diffusers' lr_end / lr).
  double final_fraction = 0;
  double cycles = 0;  ///< cosine: waves, 0 means 1/2; cosine_with_restarts: restarts, 0 means 1
  double power = 1;   ///< polynomial
};

/// What the base learning rate is multiplied by in optimiser step `step` (0, 1, …). A pure function, with the values of
/// diffusers' schedules of the same name. W = warmup_steps, T = total_steps, p = (step - W) / max(1, T - W),
/// f = final_fraction, s = step:
///   all but constant, s < W   s / W (so the very first step has rate 0)
///   constant(_with_warmup)    1
///   linear                    f + (1 - f) max(0, 1 - p)
///   cosine                    f + (1 - f) max(0, (1 + cos(2 pi cycles p)) / 2); past T it rises again, as diffusers'
///   does cosine_with_restarts      f + (1 - f) (1 + cos(pi (cycles p mod 1))) / 2, and f from T on polynomial f + (1 -
///   f) (1 - p)^power, and f past T inverse_sqrt              sqrt(max(1, W) / s)
/// Throws ValueError when step or a setting is negative, or T is missing or not above W where it is used.
double lr_factor(int64_t step, const LrSchedule& schedule);

/// The kind of that name. Throws ValueError listing the names.
LrScheduleKind lr_schedule_kind(std::string_view name);
const char* name_of(LrScheduleKind kind);

}  // namespace plumb
