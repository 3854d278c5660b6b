#include "apps/trace/memory_figure.h"

#include <algorithm>
#include <map>

#include "autograd/graph_view.h"
#include "engine/format.h"

namespace plumb::trace {
namespace {

constexpr size_t kBuckets = 2000;  // as many as pixels, about

double milliseconds(int64_t ns) { return double(ns) / 1e6; }
double megabytes(int64_t bytes) { return double(bytes) / 1e6; }

/// The lowest and the highest point of each bucket of time, in order: what a line of that many pixels shows.
std::vector<MemoryTimeline::Point> thinned(const std::vector<MemoryTimeline::Point>& points) {
  if (points.size() <= 2 * kBuckets) return points;
  std::vector<MemoryTimeline::Point> kept;
  const size_t each = (points.size() + kBuckets - 1) / kBuckets;
  for (size_t begin = 0; begin < points.size(); begin += each) {
    const auto from = points.begin() + long(begin), to = points.begin() + long(std::min(begin + each, points.size()));
    auto [low, high] = std::minmax_element(from, to, [](const auto& a, const auto& b) { return a.bytes < b.bytes; });
    if (low > high) std::swap(low, high);
    kept.push_back(*low);
    if (high != low) kept.push_back(*high);
  }
  return kept;
}

}  // namespace

plot::Figure memory_figure(const Profile& profile, const MemoryTimeline& timeline, const std::string& title) {
  plot::Figure figure;
  figure.columns = 1;
  figure.panel_width = 720;
  plot::Panel& panel =
      figure.add(title, fmt::format("peak {} in {}", human_bytes(timeline.peak_bytes),
                                    timeline.peak_event < 0 ? "no op" : path_of(profile, timeline.peak_event)));
  panel.x.label = "ms";
  panel.y = {.label = "MB in use", .low = 0};
  std::map<std::string, plot::Color> colors;
  std::string phase;
  plot::Line line;
  const auto finish = [&] {
    if (!line.points.empty()) panel.add(line);
    line = plot::Line{.width = 1.2};
  };
  for (const MemoryTimeline::Point& point : thinned(timeline.points)) {
    const plot::Point at{milliseconds(point.time_ns), megabytes(point.bytes)};
    const std::string now = phase_of(profile, point.event);
    if (now != phase || line.points.empty()) {
      const std::vector<plot::Point> joint =
          line.points.empty() ? std::vector<plot::Point>{} : std::vector<plot::Point>{line.points.back()};
      finish();
      phase = now;
      const bool is_new = !colors.contains(phase);
      if (is_new) colors.emplace(phase, plot::class_color(int(colors.size())));
      line.points = joint;
      line.color = colors.at(phase);
      line.label = is_new ? (phase.empty() ? "between" : phase) : "";
    }
    if (!line.points.empty()) line.points.push_back({at.x, line.points.back().y});  // memory moves in steps
    line.points.push_back(at);
  }
  finish();
  panel.add(plot::Crosses{.points = {{milliseconds(timeline.peak_ns), megabytes(timeline.peak_bytes)}}});
  return figure;
}

}  // namespace plumb::trace
