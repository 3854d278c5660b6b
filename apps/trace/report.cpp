#include "apps/trace/report.h"

#include <algorithm>

#include "autograd/graph_view.h"
#include "engine/format.h"

namespace plumb::trace {
namespace {

double milliseconds(int64_t ns) { return double(ns) / 1e6; }

Json row_json(const ProfileRow& row) {
  Json json = Json::object();
  json.set("phase", row.phase).set("op", row.name);
  if (!row.shapes.empty()) json.set("shapes", row.shapes);
  json.set("calls", row.calls);
  json.set("self_ms", milliseconds(row.self_ns)).set("total_ms", milliseconds(row.total_ns));
  json.set("gflop", double(row.flops) / 1e9);
  json.set("gbytes", double(row.bytes) / 1e9);
  return json.set("gflops_per_s", row.gflops_per_second())
      .set("gbytes_per_s", row.gigabytes_per_second())
      .set("roofline_share", row.share());
}

Json rows_json(const Trace& trace, Grouping grouping) {
  Json rows = Json::array();
  for (const ProfileRow& row : profile_rows(trace.profile, trace.roofline, grouping)) rows.push_back(row_json(row));
  return rows;
}

Json roofline_json(const Roofline& roofline) {
  Json levels = Json::array();
  for (const Roofline::Level& level : roofline.levels)
    levels.push_back(Json::object().set("bytes", level.bytes).set("gbytes_per_s", level.bytes_per_second / 1e9));
  return Json::object()
      .set("isa", roofline.isa)
      .set("threads", roofline.threads)
      .set("gflops_per_s", roofline.flops_per_second / 1e9)
      .set("levels", std::move(levels));
}

Json memory_json(const Trace& trace) {
  Json holders = Json::array();
  for (const MemoryTimeline::Holder& holder : trace.memory.holders)
    holders.push_back(Json::object().set("name", holder.name).set("bytes", holder.bytes).set("blocks", holder.blocks));
  return Json::object()
      .set("before_bytes", trace.profile.allocated_before)
      .set("peak_bytes", trace.memory.peak_bytes)
      .set("peak_ms", double(trace.memory.peak_ns) / 1e6)
      .set("rounding_bytes", trace.memory.rounding_bytes)
      .set("peak_op", path_of(trace.profile, trace.memory.peak_event))
      .set("peak_rss_bytes", trace.peak_rss)
      .set("holders", std::move(holders));
}

Json non_finite_json(const Trace& trace) {
  if (!trace.non_finite) return nullptr;
  const FirstNonFinite& found = *trace.non_finite;
  return Json::object()
      .set("step", found.step)
      .set("op", found.op)
      .set("shapes", found.shapes)
      .set("element", found.element)
      .set("value", fmt::format("{}", found.value))
      .set("inputs_finite", found.inputs_finite);
}

std::string roof_text(const ProfileRow& row) {
  return row.floor_ns > 0 ? fmt::format("{:4.0f}%", 100 * row.share()) : "    -";
}

std::string table(const Trace& trace, Grouping grouping, int64_t limit) {
  const std::vector<ProfileRow> rows = profile_rows(trace.profile, trace.roofline, grouping);
  std::string text = fmt::format("{:>9} {:>6} {:>7} {:>8} {:>7} {:>5}  {}\n", "self ms", "share", "calls", "GFLOP/s",
                                 "GB/s", "roof", grouping == Grouping::call ? "op and shapes" : "op");
  const double wall = double(trace.profile.duration_ns);
  for (size_t i = 0; i < rows.size() && int64_t(i) < limit; ++i) {
    const ProfileRow& row = rows[i];
    text += fmt::format("{:9.4f} {:5.1f}% {:7} {:8.2f} {:7.2f} {}  {}{}{}{}{}\n", milliseconds(row.self_ns),
                        100 * double(row.self_ns) / wall, row.calls, row.gflops_per_second(),
                        row.gigabytes_per_second(), roof_text(row), row.phase, row.phase.empty() ? "" : ": ", row.name,
                        row.shapes.empty() ? "" : " ", row.shapes);
  }
  if (int64_t(rows.size()) > limit) text += fmt::format("          … {} more\n", int64_t(rows.size()) - limit);
  return text;
}

std::string machine_text(const Roofline& roofline) {
  std::string text = fmt::format("roofline: {:.0f} GFLOP/s in f32 ({}, {} thread{})", roofline.flops_per_second / 1e9,
                                 roofline.isa, roofline.threads, roofline.threads == 1 ? "" : "s");
  for (const Roofline::Level& level : roofline.levels)
    text += fmt::format("; {:.0f} GB/s {}", level.bytes_per_second / 1e9,
                        &level == &roofline.levels.back() ? "beyond" : "up to " + human_bytes(level.bytes));
  return text + "\n";
}

std::string totals_text(const Trace& trace) {
  const ProfileTotals totals = profile_totals(trace.profile, trace.roofline);
  const double wall = double(totals.wall_ns);
  std::string text = fmt::format(
      "{}, loss {}, {}: {} parameters, batch {}; {:.4g} ms a step, {:.4g} ms without the "
      "profiler\n",
      trace.network, trace.loss, trace.part, trace.parameters, trace.batch, wall / 1e6, 1e3 * trace.untraced_step_s);
  text += fmt::format(
      "ops explain {:.1f}% of the time, the backward sweep between them {:.1f}%; {:.4g} GFLOP and {} a "
      "step, {:.1f} GFLOP/s, {:.0f}% of the roofline\n",
      100 * double(totals.ops_ns) / wall, 100 * double(totals.sweep_ns) / wall, double(totals.flops) / 1e9,
      human_bytes(totals.bytes), double(totals.flops) / wall, 100 * totals.floor_ns / wall);
  return text;
}

std::string memory_text(const Trace& trace, int64_t limit) {
  std::string text = fmt::format(
      "memory: peak {} in {} ({} before the steps, {} rounded up; process {})\n", human_bytes(trace.memory.peak_bytes),
      trace.memory.peak_event < 0 ? "no op" : path_of(trace.profile, trace.memory.peak_event),
      human_bytes(trace.profile.allocated_before), human_bytes(trace.memory.rounding_bytes),
      human_bytes(trace.peak_rss));
  const auto& holders = trace.memory.holders;
  for (size_t i = 0; i < holders.size() && int64_t(i) < limit; ++i)
    text += fmt::format("{:>12} {:5.1f}%  {}{}\n", human_bytes(holders[i].bytes),
                        100 * double(holders[i].bytes) / double(std::max<int64_t>(trace.memory.peak_bytes, 1)),
                        holders[i].name, holders[i].blocks > 1 ? fmt::format(" x {}", holders[i].blocks) : "");
  return text;
}

std::string non_finite_text(const Trace& trace) {
  if (trace.non_finite) {
    const FirstNonFinite& found = *trace.non_finite;
    return fmt::format("first {} in step {}: {} {}, element {}; its inputs {}\n", found.value, found.step, found.op,
                       found.shapes, found.element,
                       found.inputs_finite ? "were finite" : "held one already (weights or data)");
  }
  if (trace.searched) return "no op made a NaN or an infinity\n";
  return "loss and gradients are finite\n";
}

}  // namespace

Json trace_json(const Trace& trace) {
  const ProfileTotals totals = profile_totals(trace.profile, trace.roofline);
  Json json = Json::object();
  json.set("network", trace.network).set("loss", trace.loss).set("part", trace.part);
  json.set("parameters", trace.parameters).set("batch", trace.batch).set("steps", trace.steps);
  json.set("step_ms", milliseconds(totals.wall_ns)).set("untraced_step_ms", 1e3 * trace.untraced_step_s);
  json.set("ops_share", double(totals.ops_ns) / double(totals.wall_ns));
  json.set("sweep_share", double(totals.sweep_ns) / double(totals.wall_ns));
  json.set("gflop", double(totals.flops) / 1e9);
  json.set("gbytes", double(totals.bytes) / 1e9);
  json.set("gflops_per_s", double(totals.flops) / double(totals.wall_ns));
  json.set("roofline_share", totals.floor_ns / double(totals.wall_ns));
  json.set("roofline", roofline_json(trace.roofline)).set("memory", memory_json(trace));
  json.set("finite", trace.finite).set("first_non_finite", non_finite_json(trace));
  return json.set("ops", rows_json(trace, Grouping::op)).set("calls", rows_json(trace, Grouping::call));
}

std::string trace_text(const Trace& trace, int64_t rows) {
  return totals_text(trace) + machine_text(trace.roofline) + "\n" + table(trace, Grouping::op, rows) + "\n" +
         table(trace, Grouping::call, rows) + "\n" + memory_text(trace, rows) + "\n" + non_finite_text(trace);
}

}  // namespace plumb::trace
