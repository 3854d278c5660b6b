#include <doctest/doctest.h>

#include <algorithm>

#include "engine/io/json.h"
#include "engine/ops.h"
#include "engine/profile/chrome_trace.h"
#include "engine/profile/memory_timeline.h"
#include "engine/profile/profiler.h"
#include "engine/profile/roofline.h"
#include "engine/profile/summary.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

const Roofline kMachine{.flops_per_second = 100e9, .levels = {{1000, 50e9}, {1000000, 10e9}}};

ProfileEvent event(const char* name, EventKind kind, int32_t parent, int64_t begin, int64_t end) {
  ProfileEvent made;
  made.name = name, made.kind = kind, made.parent = parent, made.begin_ns = begin, made.end_ns = end;
  return made;
}

/// range forward [0, 100] { linear [10, 60] { copy_ [20, 30] }, silu [70, 90] }.
Profile small_profile() {
  Profile profile;
  profile.duration_ns = 120;
  profile.events = {event("forward", EventKind::range, -1, 0, 100), event("linear", EventKind::op, 0, 10, 60),
                    event("copy_", EventKind::op, 1, 20, 30), event("silu", EventKind::op, 0, 70, 90)};
  profile.events[0].children_ns = 70;
  profile.events[1].children_ns = 10;
  profile.events[1].flops = 1000, profile.events[1].read_bytes = 400, profile.events[1].written_bytes = 100;
  profile.events[2].read_bytes = 200, profile.events[2].written_bytes = 200;
  profile.events[3].flops = 10, profile.events[3].read_bytes = 500, profile.events[3].written_bytes = 500;
  return profile;
}

}  // namespace

TEST_CASE("roofline: the floor is the longer of arithmetic and traffic at the level that holds the bytes") {
  CHECK(kMachine.bandwidth(1000) == 50e9);
  CHECK(kMachine.bandwidth(1001) == 10e9);
  CHECK(kMachine.bandwidth(int64_t(1) << 40) == 10e9);
  CHECK(kMachine.floor_seconds(1000, 100) == doctest::Approx(10e-9));
  CHECK(kMachine.floor_seconds(10, 1000) == doctest::Approx(20e-9));
  CHECK(kMachine.floor_seconds(1000, 100, DType::f64) == doctest::Approx(20e-9));
  CHECK(Roofline().floor_seconds(1000, 100) == 0);
}

TEST_CASE("roofline: this machine has a peak and a bandwidth that falls as memory grows") {
  const Roofline machine = measure_roofline();
  CHECK(machine.flops_per_second > 1e9);
  REQUIRE(machine.levels.size() == 4);
  for (size_t i = 1; i < machine.levels.size(); ++i) {
    CHECK(machine.levels[i].bytes > machine.levels[i - 1].bytes);
    CHECK(machine.levels[i].bytes_per_second <= machine.levels[i - 1].bytes_per_second);
  }
  CHECK(machine.levels.back().bytes_per_second > 1e8);
}

TEST_CASE("summary: rows are sorted by self time; a nested op's work is counted once in the totals") {
  const Profile profile = small_profile();
  const std::vector<ProfileRow> rows = profile_rows(profile, kMachine, Grouping::op);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].name == "linear");
  CHECK(rows[0].phase == "forward");
  CHECK(rows[0].self_ns == 40);
  CHECK(rows[0].total_ns == 50);
  CHECK(rows[0].gflops_per_second() == doctest::Approx(20));
  CHECK(rows[0].share() == doctest::Approx(0.2));  // 10 ns at 50 ns
  CHECK(rows[1].name == "silu");
  CHECK(rows[1].share() == doctest::Approx(1));  // 20 ns of traffic at 20 ns
  CHECK(rows[2].name == "copy_");
  const ProfileTotals totals = profile_totals(profile, kMachine);
  CHECK(totals.wall_ns == 120);
  CHECK(totals.ops_ns == 70);
  CHECK(totals.flops == 1010);
  CHECK(totals.bytes == 1500);  // without the copy inside linear
  CHECK(totals.floor_ns == doctest::Approx(30));
}

TEST_CASE("memory timeline: the peak, when it was, and who held it") {
  Profile profile = small_profile();
  profile.allocated_before = 1000;
  int a = 0, b = 0, c = 0, old = 0;
  profile.memory = {{12, 300, 280, &a, 1}, {22, 500, 500, &b, 2},  {29, -500, 0, &b, 2},
                    {75, 700, 690, &c, 3}, {80, -400, 0, &old, 3}, {110, -300, 0, &a, -1}};
  const MemoryTimeline timeline = memory_timeline(profile);
  REQUIRE(timeline.points.size() == 7);
  CHECK(timeline.points.back().bytes == 1300);
  CHECK(timeline.peak_bytes == 2000);
  CHECK(timeline.peak_ns == 75);
  CHECK(timeline.peak_event == 3);
  CHECK(timeline.rounding_bytes == 30);
  REQUIRE(timeline.holders.size() == 3);
  CHECK(timeline.holders[0].name == "before the trace");
  CHECK(timeline.holders[0].bytes == 1000);
  CHECK(timeline.holders[1].name == "forward / silu");
  CHECK(timeline.holders[2].name == "forward / linear");
  CHECK(memory_csv(profile, timeline).find("0.022,1800,500,forward / linear / copy_\n") != std::string::npos);
}

TEST_CASE("chrome trace: JSON of complete events that nest, with counters of the memory") {
  Profiler profiler;
  {
    ProfileRange range("forward");
    const Tensor x = random_tensor({2, 4, 3, 3}, 1, DType::f32);
    sum(group_norm(x, {}, {}, {.groups = 2}).y, {});
  }
  const Profile profile = profiler.stop();
  const std::string text = chrome_trace(profile, kMachine);
  const Json trace = Json::parse(text);
  const Json& events = trace.at("traceEvents");
  size_t complete = 0, counters = 0;
  std::vector<double> ends;
  for (size_t i = 0; i < events.size(); ++i) {
    const std::string& phase = events[i].at("ph").as_string();
    counters += phase == "C";
    if (phase != "X") continue;
    ++complete;
    const double begin = events[i].at("ts").as_number(), end = begin + events[i].at("dur").as_number();
    while (!ends.empty() && ends.back() <= begin) ends.pop_back();
    if (!ends.empty()) CHECK(end <= ends.back() + 1e-6);  // inside what is open
    ends.push_back(end);
  }
  CHECK(complete == profile.events.size());
  CHECK(counters >= 1);
  CHECK(size_t(std::count(text.begin(), text.end(), '\n')) == events.size() + 2);
}
