#include "engine/profile/summary.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "engine/format.h"

namespace plumb {
namespace {

const ProfileEvent* parent_of(const Profile& profile, const ProfileEvent& event) {
  return event.parent >= 0 ? &profile.events[size_t(event.parent)] : nullptr;
}

/// The op's name, behind that of the backward node that called it, however far up.
std::string row_name(const Profile& profile, const ProfileEvent& event) {
  if (event.kind == EventKind::backward) return std::string("d ") + event.name;
  for (const ProfileEvent* up = parent_of(profile, event); up; up = parent_of(profile, *up))
    if (up->kind == EventKind::backward) return std::string("d ") + up->name + " / " + event.name;
  return event.name;
}

/// Whether an op around this one has declared the work of both.
bool is_counted_above(const Profile& profile, const ProfileEvent& event) {
  for (const ProfileEvent* up = parent_of(profile, event); up; up = parent_of(profile, *up))
    if (up->kind == EventKind::op && up->has_work()) return true;
  return false;
}

bool is_inside_op(const Profile& profile, const ProfileEvent& event) {
  for (const ProfileEvent* up = parent_of(profile, event); up; up = parent_of(profile, *up))
    if (up->kind == EventKind::op) return true;
  return false;
}

std::string shape_text(const Operand& operand) { return fmt::format("{}{}", operand.dtype, operand.shape); }

}  // namespace

std::string shapes_of(const ProfileEvent& event) {
  std::string text;
  for (int32_t i = 0; i < event.input_count; ++i) text += (i > 0 ? ", " : "") + shape_text(event.inputs[size_t(i)]);
  if (event.has_output) text += (text.empty() ? "-> " : " -> ") + shape_text(event.output);
  return text;
}

std::vector<ProfileRow> profile_rows(const Profile& profile, const Roofline& roofline, Grouping grouping) {
  std::map<std::tuple<std::string, std::string, std::string>, ProfileRow> groups;
  for (size_t i = 0; i < profile.events.size(); ++i) {
    const ProfileEvent& event = profile.events[i];
    if (event.kind == EventKind::range) continue;
    const std::string phase = phase_of(profile, int32_t(i)), name = row_name(profile, event);
    const std::string shapes = grouping == Grouping::call ? shapes_of(event) : "";
    ProfileRow& row = groups[{phase, name, shapes}];
    row.phase = phase, row.name = name, row.shapes = shapes;
    ++row.calls;
    row.self_ns += event.self_ns();
    row.total_ns += event.duration_ns();
    row.flops += event.flops;
    row.bytes += event.bytes();
    row.floor_ns += 1e9 * roofline.floor_seconds(event);
  }
  std::vector<ProfileRow> rows;
  for (auto& [key, row] : groups) rows.push_back(std::move(row));
  std::stable_sort(rows.begin(), rows.end(),
                   [](const ProfileRow& a, const ProfileRow& b) { return a.self_ns > b.self_ns; });
  return rows;
}

ProfileTotals profile_totals(const Profile& profile, const Roofline& roofline) {
  ProfileTotals totals{.wall_ns = profile.duration_ns};
  const int32_t first_thread = profile.events.empty() ? 0 : profile.events.front().thread;
  for (const ProfileEvent& event : profile.events) {
    if (event.kind == EventKind::range) continue;
    ++totals.events;
    if (event.thread == first_thread) {
      if (event.kind == EventKind::op && !is_inside_op(profile, event)) totals.ops_ns += event.duration_ns();
      if (event.kind == EventKind::backward && !is_inside_op(profile, event)) totals.sweep_ns += event.self_ns();
    }
    if (is_counted_above(profile, event)) continue;
    totals.flops += event.flops;
    totals.bytes += event.bytes();
    totals.floor_ns += 1e9 * roofline.floor_seconds(event);
  }
  return totals;
}

}  // namespace plumb
