#include "apps/common/health.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "engine/error.h"

using namespace plumb;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

HealthSample healthy(int64_t step) {
  return {.step = step, .loss = 0.7, .grad_norm = 0.1, .error = 0.3, .reference_error = 0.2, .saturated = 0.1};
}

/// The step at which the monitor stops a run whose steps `make` describes; 0: never in 1000 steps.
template <class Make>
HealthFinding first_finding(const HealthLimits& limits, const Make& make) {
  HealthMonitor monitor(limits);
  for (int64_t step = 1; step <= 1000; ++step)
    if (const auto finding = monitor.check(make(step))) return *finding;
  return {};
}

}  // namespace

TEST_CASE("health: a healthy run is left alone") { CHECK(first_finding({}, healthy).step == 0); }

TEST_CASE("health: nan stops at once, by loss or by gradient") {
  for (const double bad : {kNan, -kNan, kInf, -kInf}) {
    for (const bool in_loss : {true, false}) {
      const HealthFinding found = first_finding({}, [&](int64_t step) {
        HealthSample sample = healthy(step);
        if (step == 7) (in_loss ? sample.loss : sample.grad_norm) = bad;
        return sample;
      });
      CHECK(found.rule == "nan");
      CHECK(found.step == 7);
      CHECK(found.since == 7);
    }
  }
  HealthMonitor monitor({});
  const auto found = monitor.check({.step = 3, .loss = -kNan, .grad_norm = kInf});
  REQUIRE(found);
  CHECK(found->message == "nan: loss nan, gradient norm inf at step 3, not finite for 1 step(s) (limit 1)");
}

TEST_CASE("health: steps that are not finite are counted in a row, and 0 never stops") {
  const auto every_third = [](int64_t step) {
    HealthSample sample = healthy(step);
    if (step % 3 == 0 || step >= 100) sample.loss = kNan;
    return sample;
  };
  const HealthFinding found = first_finding({.nan_steps = 4}, every_third);
  CHECK(found.step == 102);  // 99, 100, 101, 102
  CHECK(found.since == 99);
  HealthMonitor never({.nan_steps = 0});
  for (int64_t step = 1; step <= 200; ++step) CHECK_FALSE(never.check(every_third(step)));
  CHECK(never.not_finite() == 33 + 101);
}

TEST_CASE("health: collapse compares means over a full window") {
  // Errors rise by 0.01 a step: over window w ending at step s the mean is 0.2 + 0.01 (s - (w - 1) / 2).
  const HealthFinding found = first_finding({.collapse_factor = 4, .window = 11}, [](int64_t step) {
    HealthSample sample = healthy(step);
    sample.error = 0.2 + 0.01 * double(step) + 1e-9;
    return sample;
  });
  CHECK(found.rule == "collapse");
  CHECK(found.step == 65);   // mean = 0.2 + 0.01 (65 - 5) = 0.8 = 4 * 0.2, just above
  CHECK(found.since == 60);  // the first with an error above 0.8
  CHECK(found.value == doctest::Approx(4).epsilon(1e-6));
  CHECK(found.limit == 4);
  // Where it began is told apart from one wild batch before.
  CHECK(first_finding({.collapse_factor = 4, .window = 11}, [](int64_t step) {
          HealthSample sample = healthy(step);
          sample.error = step == 20 || step >= 25 ? 2.0 : 0.3;
          return sample;
        }).since == 25);
  // Large from the start: only when the window is full.
  CHECK(first_finding({.window = 20}, [](int64_t step) {
          HealthSample sample = healthy(step);
          sample.error = 9.0;
          return sample;
        }).step == 20);
  // One wild batch in a window of 50 stays below: (49 * 0.3 + 4.9) / 50 = 0.392 < 0.4.
  CHECK(first_finding({}, [](int64_t step) {
          HealthSample sample = healthy(step);
          if (step == 60) sample.error = 4.9;
          return sample;
        }).step == 0);
}

TEST_CASE("health: an error that overflows, or a reference without error, is a collapse") {
  for (const auto& [error, reference] : {std::pair{kInf, 0.2}, std::pair{kNan, 0.2}, std::pair{0.1, 0.0}}) {
    HealthMonitor monitor({.window = 2});
    HealthSample sample = healthy(1);
    sample.error = error;
    sample.reference_error = reference;
    CHECK_FALSE(monitor.check(sample));
    sample.step = 2;
    const auto found = monitor.check(sample);
    REQUIRE(found);
    CHECK(found->rule == "collapse");
  }
}

TEST_CASE("health: saturation is a mean share over the window") {
  const auto half_way = [](int64_t step) {
    HealthSample sample = healthy(step);
    sample.saturated = step <= 10 ? 0.0 : 1.0;
    return sample;
  };
  const HealthFinding found = first_finding({.saturation_share = 0.75, .window = 8}, half_way);
  CHECK(found.rule == "saturation");
  CHECK(found.step == 17);   // 7 of 8 is the first share above 0.75
  CHECK(found.since == 11);  // the first with a share of 1
  CHECK(found.value == 0.875);
  CHECK(found.message == "saturation: 0.875 of the pairs have |z| > 10 over the last 8 steps at step 17 (limit 0.75)");
  CHECK(first_finding({.saturation_share = 0, .window = 8}, half_way).step == 0);
}

TEST_CASE("health: spread acts on the steps that have samples") {
  const auto narrowing = [](int64_t step) {
    HealthSample sample = healthy(step);
    if (step % 10 == 0) sample.spread = 3.0 / double(step), sample.reference_spread = 0.6;
    return sample;
  };
  const HealthFinding found = first_finding({.spread_share = 0.1}, narrowing);
  CHECK(found.rule == "spread");
  CHECK(found.step == 60);  // 3 / 60 = 0.05 < 0.06; 3 / 50 = 0.06 is not below
  CHECK(found.since == 60);
  CHECK(first_finding({.spread_share = 0}, narrowing).step == 0);
}

TEST_CASE("health: a rule that is switched off lets the next one speak") {
  const auto everything = [](int64_t step) {
    return HealthSample{.step = step,
                        .loss = 1,
                        .grad_norm = 1,
                        .error = 100.0,
                        .reference_error = 1.0,
                        .saturated = 1.0,
                        .spread = 0.0,
                        .reference_spread = 1.0};
  };
  HealthLimits limits{.window = 1};
  CHECK(first_finding(limits, everything).rule == "collapse");
  limits.collapse_factor = 0;
  CHECK(first_finding(limits, everything).rule == "spread");
  limits.spread_share = 0;
  CHECK(first_finding(limits, everything).rule == "saturation");
  limits.saturation_share = 0;
  CHECK(first_finding(limits, everything).step == 0);
}

TEST_CASE("health: a monitor that was put away and restored stops at the same step") {
  const auto rising = [](int64_t step) {
    HealthSample sample = healthy(step);
    sample.error = 0.1 + 0.0137 * double(step);
    sample.saturated = 1.0 / double(step);
    return sample;
  };
  const HealthLimits limits{.window = 13};
  const HealthFinding whole = first_finding(limits, rising);
  REQUIRE(whole.step > 20);
  for (const int64_t stop : {int64_t(0), int64_t(1), int64_t(12), int64_t(13), whole.step - 1}) {
    HealthMonitor before(limits), after(limits);
    for (int64_t step = 1; step <= stop; ++step) CHECK_FALSE(before.check(rising(step)));
    after.restore(Json::parse(before.state().dump()));
    std::optional<HealthFinding> found;
    for (int64_t step = stop + 1; !found; ++step) found = after.check(rising(step));
    CHECK(found->step == whole.step);
    CHECK(found->value == whole.value);
    CHECK(found->message == whole.message);
  }
}

TEST_CASE("health: a narrower window takes the newest of a restored state") {
  HealthMonitor wide({.window = 5}), narrow({.collapse_factor = 2, .window = 2});
  for (int64_t step = 1; step <= 5; ++step) {
    HealthSample sample = healthy(step);
    sample.error = step >= 4 ? kInf : 0.3;
    CHECK(bool(wide.check(sample)) == (step == 5));
  }
  narrow.restore(Json::parse(wide.state().dump()));
  const auto found = narrow.check(healthy(6));
  REQUIRE(found);
  CHECK(found->rule == "collapse");
  CHECK_FALSE(narrow.check(healthy(7)));
}

TEST_CASE("health: limits and states that make no sense are refused") {
  CHECK_THROWS_AS(HealthMonitor({.nan_steps = -1}), ValueError);
  CHECK_THROWS_AS(HealthMonitor({.collapse_factor = -1}), ValueError);
  CHECK_THROWS_AS(HealthMonitor({.collapse_factor = kNan}), ValueError);
  CHECK_THROWS_AS(HealthMonitor({.spread_share = 1.5}), ValueError);
  CHECK_THROWS_AS(HealthMonitor({.saturation_share = -0.5}), ValueError);
  CHECK_THROWS_AS(HealthMonitor({.window = 0}), ValueError);
  HealthMonitor monitor({});
  CHECK_THROWS_AS(monitor.restore(Json::object()), ValueError);
  CHECK_THROWS_AS(monitor.restore(monitor.state().set("errors", Json::parse("[1.5]"))), ValueError);
}
