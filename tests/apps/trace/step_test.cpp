#include "apps/trace/step.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>

#include "apps/common/exit_codes.h"
#include "apps/trace/report.h"
#include "autograd/backward.h"
#include "autograd/ops.h"
#include "engine/parallel.h"
#include "engine/profile/profiler.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;
using trace::StepSettings;
using trace::TracedStep;

namespace {

StepSettings small(int64_t batch = 48) {
  StepSettings settings;
  settings.batch = batch;
  settings.sizes.hidden = 32;
  return settings;
}

std::string weights_after(const StepSettings& settings, int64_t steps, bool profiled) {
  TracedStep step(settings);
  for (int64_t i = 0; i < steps; ++i) {
    std::optional<Profiler> profiler;
    if (profiled) profiler.emplace();
    step.run(i);
  }
  return bits_of(step.arena().groups().front().weights());
}

/// The second step.
Profile profile_of(const StepSettings& settings) {
  TracedStep step(settings);
  step.run(0);
  Profiler profiler;
  step.run(1);
  return profiler.stop();
}

/// Of the rows whose names begin so; -1 when there is none.
int64_t flops_of(const Profile& profile, std::string_view prefix) {
  int64_t flops = -1;
  for (const ProfileRow& found : profile_rows(profile, Roofline(), Grouping::op))
    if (found.name.starts_with(prefix)) flops = std::max<int64_t>(flops, 0) + found.flops;
  return flops;
}

}  // namespace

TEST_CASE("trace: the operations of the network of points are those one counts by hand") {
  // 2 coordinates, 32 features of the time and 32 of the class; three hidden layers of 32; 2 outputs; 48 samples.
  const int64_t forward = 2 * 48 * (66 * 32 + 32 * 32 + 32 * 32 + 32 * 2);
  const Profile profile = profile_of(small());
  const int64_t elementwise = 4 * 48 * (3 * 32 + 2);  // at most: activations and biases, which a layer may have fused
  CHECK(flops_of(profile, "linear") >= forward);
  CHECK(flops_of(profile, "linear") <= forward + elementwise);
  // For the weights, and for what came in: of the first layer only the features of the class need a gradient.
  const int64_t backward = 2 * forward - 2 * 48 * (66 - 32) * 32;
  CHECK(flops_of(profile, "d linear") >= backward);
  CHECK(flops_of(profile, "d linear") <= backward + elementwise);
}

TEST_CASE("trace: the operations of two plain layers are exact") {
  const auto leaf = [](const Shape& shape) { return Variable::leaf(random_tensor(shape, 3, DType::f32)); };
  const Variable x = leaf({48, 20}), first = leaf({32, 20}), second = leaf({5, 32});
  Profiler profiler;
  backward(sum(linear(tanh(linear(x, first, {})), second, {})));
  const Profile profile = profiler.stop();
  const int64_t forward = 2 * 48 * (20 * 32 + 32 * 5);
  CHECK(flops_of(profile, "linear") == forward);
  CHECK(flops_of(profile, "d linear / matmul") == 2 * forward);
  CHECK(flops_of(profile, "tanh") == 48 * 32);
  CHECK(flops_of(profile, "sum") == 48 * 5);
}

TEST_CASE("trace: phases are in order and the ops explain the step") {
  const Profile profile = profile_of(small(512));
  std::vector<std::string> phases;
  for (const ProfileEvent& event : profile.events)
    if (event.kind == EventKind::range) phases.emplace_back(event.name);
  CHECK(phases == std::vector<std::string>{"data", "forward", "backward", "optimizer"});
  const ProfileTotals totals = profile_totals(profile, Roofline());
  CHECK(totals.ops_ns + totals.sweep_ns <= totals.wall_ns);
  CHECK(double(totals.ops_ns) > 0.5 * double(totals.wall_ns));
  int64_t self = 0;
  for (const ProfileRow& row : profile_rows(profile, Roofline(), Grouping::call)) self += row.self_ns;
  CHECK(self == totals.ops_ns + totals.sweep_ns);
}

TEST_CASE("trace: looking changes no bit, with one thread or two") {
  const int threads = num_threads();
  const std::string expected = weights_after(small(), 3, false);
  for (int count : {1, 2}) {
    CAPTURE(count);
    set_num_threads(count);
    CHECK(weights_after(small(), 3, true) == expected);
  }
  set_num_threads(threads);
}

TEST_CASE("trace: a part of a step, and an objective instead of the denoising loss") {
  StepSettings settings = small();
  settings.part = trace::Part::forward;
  CHECK(flops_of(profile_of(settings), "d linear") == -1);
  settings.part = trace::Part::backward;
  CHECK(flops_of(profile_of(settings), "adam_step") == -1);
  CHECK(flops_of(profile_of(settings), "d linear") > 0);
  settings.part = trace::Part::step;
  settings.loss = "diffusion_dpo";
  CHECK(flops_of(profile_of(settings), "adam_step") > 0);
  CHECK(flops_of(profile_of(settings), "linear") == 2 * flops_of(profile_of(small()), "linear"));  // pairs
}

TEST_CASE("trace: a network that looks at a text") {
  StepSettings settings = small(2);
  settings.network = "text_unet";
  settings.sizes.hidden_layers = 1;
  settings.sizes.side = 8;
  CHECK(flops_of(profile_of(settings), "attention") > 0);
  settings.part = trace::Part::forward;
  CHECK(flops_of(profile_of(settings), "attention") > 0);
}

TEST_CASE("trace: what does not exist is refused") {
  StepSettings settings = small();
  settings.loss = "difusion_dpo";
  CHECK(message_of([&] { trace::check_loss(settings); }).find("did you mean diffusion_dpo?") != std::string::npos);
  settings.loss = "denoising";
  settings.set = {{"beta", "1"}};
  CHECK_THROWS_AS(trace::check_loss(settings), UsageError);
  CHECK(message_of([] { trace::find_network("tay"); }).find("did you mean toy?") != std::string::npos);
}

TEST_CASE("trace: the report holds every part") {
  trace::Trace traced{.network = "toy", .loss = "denoising", .part = "training step", .parameters = 7, .batch = 48};
  traced.roofline = {.flops_per_second = 1e11, .levels = {{1 << 20, 1e10}}};
  traced.profile = profile_of(small());
  traced.memory = memory_timeline(traced.profile);
  traced.non_finite = trace::FirstNonFinite{.step = 3, .op = "forward / exp", .shapes = "f32[2]"};
  const Json json = Json::parse(trace::trace_json(traced).dump(2));
  CHECK(json.at("ops").size() > 5);
  CHECK(json.at("calls").size() >= json.at("ops").size());
  CHECK(json.at("memory").at("peak_bytes").as_integer() >= json.at("memory").at("before_bytes").as_integer());
  CHECK(json.at("first_non_finite").at("op").as_string() == "forward / exp");
  int64_t held = 0;
  const Json& holders = json.at("memory").at("holders");
  for (size_t i = 0; i < holders.size(); ++i) held += holders[i].at("bytes").as_integer();
  CHECK(held == json.at("memory").at("peak_bytes").as_integer());
  const std::string text = trace::trace_text(traced, 3);
  for (const char* part : {"ops explain", "roofline: 100 GFLOP/s", "self ms", "memory: peak", "step 3: forward / exp"})
    CHECK(text.find(part) != std::string::npos);
}
