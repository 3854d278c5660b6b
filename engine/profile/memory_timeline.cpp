#include "engine/profile/memory_timeline.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "engine/format.h"
#include "engine/profile/summary.h"

namespace plumb {
namespace {

/// Where an event is and what it makes: "backward / d linear / matmul -> f32[128, 98]".
std::string holder_name(const Profile& profile, int32_t event) {
  if (event < 0) return "outside any op";
  const ProfileEvent& at = profile.events[size_t(event)];
  return path_of(profile, event) + (at.has_output ? fmt::format(" -> {}{}", at.output.dtype, at.output.shape) : "");
}

/// After the first `count` memory events.
std::vector<MemoryTimeline::Holder> holders_at(const Profile& profile, size_t count, MemoryTimeline& timeline) {
  std::unordered_map<const void*, const MemoryEvent*> live;
  for (size_t i = 0; i < count; ++i) {
    const MemoryEvent& event = profile.memory[i];
    if (event.bytes > 0)
      live[event.block] = &event;
    else
      live.erase(event.block);
  }
  std::map<std::string, MemoryTimeline::Holder> groups;
  int64_t known = 0;
  for (const auto& [block, event] : live) {
    const std::string name = holder_name(profile, event->event);
    MemoryTimeline::Holder& holder = groups[name];
    holder.name = name;
    holder.bytes += event->bytes;
    ++holder.blocks;
    known += event->bytes;
    timeline.rounding_bytes += event->bytes - event->requested_bytes;
  }
  std::vector<MemoryTimeline::Holder> holders;
  if (timeline.peak_bytes > known) holders.push_back({"before the trace", timeline.peak_bytes - known, 0});
  for (auto& [name, holder] : groups) holders.push_back(std::move(holder));
  std::stable_sort(holders.begin(), holders.end(), [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
  return holders;
}

}  // namespace

MemoryTimeline memory_timeline(const Profile& profile) {
  MemoryTimeline timeline;
  int64_t now = profile.allocated_before;
  timeline.points.push_back({0, now, -1});
  timeline.peak_bytes = now;
  size_t until_peak = 0;
  for (const MemoryEvent& event : profile.memory) {
    now += event.bytes;
    timeline.points.push_back({event.time_ns, now, event.event});
    if (now <= timeline.peak_bytes) continue;
    timeline.peak_bytes = now;
    timeline.peak_ns = event.time_ns;
    timeline.peak_event = event.event;
    until_peak = timeline.points.size() - 1;
  }
  timeline.holders = holders_at(profile, until_peak, timeline);
  return timeline;
}

std::string memory_csv(const Profile& profile, const MemoryTimeline& timeline) {
  std::string text = "time_us,allocated_bytes,change_bytes,op\n";
  int64_t before = timeline.points.empty() ? 0 : timeline.points.front().bytes;
  for (const MemoryTimeline::Point& point : timeline.points) {
    text += fmt::format("{:.3f},{},{},{}\n", double(point.time_ns) / 1e3, point.bytes, point.bytes - before,
                        path_of(profile, point.event));
    before = point.bytes;
  }
  return text;
}

}  // namespace plumb
