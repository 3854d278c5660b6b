#include "engine/profile/chrome_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "engine/format.h"
#include "engine/io/json.h"
#include "engine/profile/memory_timeline.h"
#include "engine/profile/summary.h"

namespace plumb {
namespace {

/// Counters closer together than this are left out, but for the peak's: a viewer draws one point a pixel.
constexpr int64_t kCounterGap = 500;

double microseconds(int64_t ns) { return double(ns) / 1e3; }

Json header(const char* name, const char* phase) {
  return Json::object().set("name", name).set("ph", phase).set("pid", 1);
}

Json complete_event(const ProfileEvent& event, const Roofline& roofline) {
  static constexpr const char* kCategories[] = {"op", "backward", "range"};
  Json args = Json::object();
  if (const std::string shapes = shapes_of(event); !shapes.empty()) args.set("shapes", shapes);
  if (event.has_work()) {
    const double seconds = double(std::max<int64_t>(event.duration_ns(), 1)) / 1e9;
    args.set("read_bytes", event.read_bytes).set("written_bytes", event.written_bytes).set("flops", event.flops);
    args.set("gflops_per_s", double(event.flops) / seconds / 1e9);
    args.set("gbytes_per_s", double(event.bytes()) / seconds / 1e9);
    args.set("roofline_share", roofline.floor_seconds(event) / seconds);
  }
  args.set("allocated_before", event.allocated_before).set("allocated_after", event.allocated_after);
  const std::string name = event.kind == EventKind::backward ? std::string("d ") + event.name : event.name;
  return header(name.c_str(), "X")
      .set("cat", kCategories[int(event.kind)])
      .set("tid", int64_t(event.thread))
      .set("ts", microseconds(event.begin_ns))
      .set("dur", microseconds(event.duration_ns()))
      .set("args", std::move(args));
}

void add_counters(std::vector<std::string>& lines, const Profile& profile) {
  const MemoryTimeline timeline = memory_timeline(profile);
  int64_t last = -kCounterGap;
  for (const MemoryTimeline::Point& point : timeline.points) {
    if (point.time_ns - last < kCounterGap && point.time_ns != timeline.peak_ns) continue;
    last = point.time_ns;
    lines.push_back(header("allocated", "C")
                        .set("ts", microseconds(point.time_ns))
                        .set("args", Json::object().set("bytes", point.bytes))
                        .dump());
  }
}

}  // namespace

std::string chrome_trace(const Profile& profile, const Roofline& roofline) {
  std::vector<std::string> lines;
  lines.push_back(header("process_name", "M").set("args", Json::object().set("name", "plumb")).dump());
  int32_t threads = 0;
  for (const ProfileEvent& event : profile.events) threads = std::max(threads, event.thread + 1);
  for (int32_t i = 0; i < threads; ++i)
    lines.push_back(header("thread_name", "M")
                        .set("tid", int64_t(i))
                        .set("args", Json::object().set("name", fmt::format("thread {}", i)))
                        .dump());
  for (const ProfileEvent& event : profile.events) lines.push_back(complete_event(event, roofline).dump());
  add_counters(lines, profile);
  return fmt::format("{{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n{}\n]}}\n", fmt::join(lines, ",\n"));
}

}  // namespace plumb
