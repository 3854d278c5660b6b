#pragma once

#include <string>
#include <vector>

#include "engine/profile/profile.h"
#include "engine/profile/roofline.h"

namespace plumb {

/// Events of one kind added up.
struct ProfileRow {
  std::string phase;   ///< outermost range: "forward", …
  std::string name;    ///< of the op, behind that of the backward node around it: "d linear / matmul"
  std::string shapes;  ///< of the inputs and the output; empty when grouped by op
  int64_t calls = 0;
  int64_t self_ns = 0;   ///< without the ops it called
  int64_t total_ns = 0;  ///< with them
  int64_t flops = 0;
  int64_t bytes = 0;
  double floor_ns = 0;  ///< the roofline's shortest time for this work

  double gflops_per_second() const { return total_ns > 0 ? double(flops) / double(total_ns) : 0; }
  double gigabytes_per_second() const { return total_ns > 0 ? double(bytes) / double(total_ns) : 0; }
  /// Share of the roofline that was attained; 0 for what declares no work.
  double share() const { return total_ns > 0 ? floor_ns / double(total_ns) : 0; }
};

enum class Grouping { call, op };  ///< by name and shapes, or by name alone

/// One row a kind of op, the largest self time first. Ranges are left out.
std::vector<ProfileRow> profile_rows(const Profile& profile, const Roofline& roofline, Grouping grouping);

/// What all events come to. An op inside another is counted once, with the outermost that declares work.
struct ProfileTotals {
  int64_t wall_ns = 0;
  int64_t ops_ns = 0;    ///< inside any op, of the thread that began the profile
  int64_t sweep_ns = 0;  ///< inside backward nodes but in no op
  int64_t events = 0;
  int64_t flops = 0, bytes = 0;
  double floor_ns = 0;
};
ProfileTotals profile_totals(const Profile& profile, const Roofline& roofline);

/// "f32[6, 5], f32[3, 5] -> f32[6, 3]".
std::string shapes_of(const ProfileEvent& event);

}  // namespace plumb
