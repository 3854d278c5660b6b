// Scheduler configurations against diffusers' defaults and noise schedules; see tests/golden/README.md.

#include "diffusion/schedule/scheduler_config.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "engine/error.h"
#include "engine/ops.h"
#include "tests/support/golden.h"

using namespace plumb;
using namespace plumb::test;

namespace {

SchedulerConfig of(const char* text) { return scheduler_config(Json::parse(text)); }

bool same(const Json& a, const Json& b) {
  if (a.kind() == Json::Kind::array || b.kind() == Json::Kind::array) return a.dump() == b.dump();
  const bool numbers = (a.kind() == Json::Kind::integer || a.kind() == Json::Kind::number) &&
                       (b.kind() == Json::Kind::integer || b.kind() == Json::Kind::number);
  return numbers ? a.as_number() == b.as_number() : a == b;
}

}  // namespace

TEST_CASE("scheduler config: what a file leaves out is the default of its class") {
  const Golden golden("samplers");
  const std::vector<Json> cases = golden.cases("defaults");
  REQUIRE(cases.size() == 9);
  for (const Json& entry : cases) {
    const Json& expected = entry.at("config");
    CAPTURE(expected.at("_class_name").as_string());
    Json bare = Json::object();
    bare.set("_class_name", expected.at("_class_name"));
    const SchedulerConfig config = scheduler_config(bare);
    CHECK(config.type != SchedulerClass::other);
    const Json written = to_json(config);
    for (const auto& [key, value] : written.as_object()) {
      CAPTURE(key);
      const Json* theirs = expected.find(key);
      CHECK((theirs ? same(value, *theirs) : value.is_null()));
    }
    for (const auto& [key, value] : expected.as_object()) {
      CAPTURE(key);
      CHECK((written.find(key) || key == "_diffusers_version"));
    }
    // diffusers' own file reads as the same, and is written back whole.
    const Json again = to_json(scheduler_config(expected));
    for (const auto& [key, value] : expected.as_object()) CHECK(same(again.at(key), value));
  }
}

TEST_CASE("scheduler config: noise schedules agree with diffusers") {
  const Golden golden("samplers");
  const std::vector<Json> cases = golden.cases("betas");
  REQUIRE(cases.size() == 4);
  for (const Json& entry : cases) {
    CAPTURE(entry.at("case").as_string());
    const NoiseSchedule schedule = training_schedule(scheduler_config(entry.at("config")));
    // Rescaling goes through betas = 1 - ratio and back: a root that differs in its last place adds up over the steps.
    CHECK(disagreement(schedule.alphas_cumprod(), golden.tensor(entry, "alphas_cumprod"), {1e-7, 0x1p-20}) == "");
  }
  const SchedulerConfig zero = of(R"({"_class_name": "DDIMScheduler", "rescale_betas_zero_snr": true})");
  CHECK(training_schedule(zero).alpha_cumprod(999) == 0);
}

TEST_CASE("scheduler config: published files") {
  const SchedulerConfig sd = of(R"({"_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", "beta_end": 0.012,
    "beta_schedule": "scaled_linear", "beta_start": 0.00085, "num_train_timesteps": 1000, "set_alpha_to_one": false,
    "skip_prk_steps": true, "steps_offset": 1, "trained_betas": null, "clip_sample": false})");
  CHECK(sd.type == SchedulerClass::pndm);
  CHECK(sd.skip_prk_steps);
  CHECK(sd.steps_offset == 1);
  CHECK(training_schedule(sd).alpha_cumprod(999) == doctest::Approx(0.00466009602));
  const Json written = to_json(sd);
  CHECK_FALSE(written.at("clip_sample").as_bool());  // a key of other classes
  CHECK(written.at("_diffusers_version").as_string() == "0.6.0");

  const SchedulerConfig sana = of(R"({"_class_name": "DPMSolverMultistepScheduler", "flow_shift": 3.0,
    "prediction_type": "flow_prediction", "use_flow_sigmas": true, "solver_order": 2})");
  CHECK(is_flow(sana));
  CHECK(prediction_of(sana) == Prediction::flow);
  CHECK(training_schedule(sana).alpha_cumprod(499) == NoiseSchedule::flow(1000, 3).alpha_cumprod(499));
  const SchedulerConfig sd3 = of(R"({"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0})");
  CHECK(prediction_of(sd3) == Prediction::flow);
  CHECK(training_schedule(sd3).alpha_cumprod(499) == NoiseSchedule::flow(1000, 3).alpha_cumprod(499));
  const SchedulerConfig lms = of(R"({"_class_name": "LMSDiscreteScheduler", "beta_schedule": "scaled_linear"})");
  CHECK(lms.type == SchedulerClass::other);
  CHECK(to_json(lms).at("_class_name").as_string() == "LMSDiscreteScheduler");
}

TEST_CASE("scheduler config: another class keeps what the file said and takes its own defaults for the rest") {
  const SchedulerConfig pndm = of(R"({"_class_name": "PNDMScheduler", "beta_schedule": "scaled_linear",
    "steps_offset": 1, "use_karras_sigmas": true, "solver_type": "bh1"})");
  const SchedulerConfig euler = with_class(pndm, SchedulerClass::euler);
  CHECK(euler.class_name == "EulerDiscreteScheduler");
  CHECK(euler.noise.beta_schedule == BetaSchedule::scaled_linear);
  CHECK(euler.steps_offset == 1);
  CHECK(euler.use_karras_sigmas);
  CHECK(euler.timestep_spacing == TimestepSpacing::linspace);  // PNDM's is leading
  CHECK(with_class(pndm, SchedulerClass::dpm_multistep).solver_type == SolverType::midpoint);
  CHECK(with_class(pndm, SchedulerClass::unipc).solver_type == SolverType::bh1);
  SchedulerConfig changed = of(R"({"_class_name": "DDIMScheduler"})");
  changed.prediction_type = Prediction::v_prediction;
  CHECK(with_class(changed, SchedulerClass::euler).prediction_type == Prediction::v_prediction);
  CHECK(with_class(changed, SchedulerClass::euler).timestep_spacing == TimestepSpacing::linspace);
}

TEST_CASE("scheduler config: Python's infinities are read, and not written") {
  const std::filesystem::path path = std::filesystem::temp_directory_path() / "plumb_scheduler_config_test.json";
  std::ofstream(path) << R"({"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity,
    "_note": "a \"NaN\" in a string \\", "solver_order": 3})";
  const SchedulerConfig config = load_scheduler_config(path);
  std::filesystem::remove(path);
  CHECK(std::isinf(config.lambda_min_clipped));
  CHECK(config.solver_order == 3);
  const Json written = to_json(config);
  CHECK(written.find("lambda_min_clipped") == nullptr);
  CHECK(written.at("_note").as_string() == "a \"NaN\" in a string \\");
}

TEST_CASE("scheduler config: what it cannot be is named") {
  const auto refused = [](const char* text, const char* message) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(of(text), doctest::Contains(message), ValueError);
  };
  refused(R"([1])", "must be an object");
  refused(R"({"beta_start": 0.1})", "_class_name");
  refused(R"({"_class_name": "UNet2DModel"})", "_class_name");
  refused(R"({"_class_name": "DDIMScheduler", "beta_schedule": "cosine"})", "beta_schedule must be linear");
  refused(R"({"_class_name": "DDIMScheduler", "prediction_type": 3})", "prediction_type");
  refused(R"({"_class_name": "DDIMScheduler", "clip_sample": 1})", "clip_sample must be true or false (1)");
  refused(R"({"_class_name": "DDIMScheduler", "num_train_timesteps": 0})", "num_train_timesteps");
  refused(R"({"_class_name": "DDIMScheduler", "num_train_timesteps": 10.5})", "num_train_timesteps");
  refused(R"({"_class_name": "DDIMScheduler", "num_train_timesteps": 100000000000})", "num_train_timesteps");
  refused(R"({"_class_name": "DDIMScheduler", "trained_betas": [0.1, 0.2]})", "trained_betas");
  refused(R"({"_class_name": "DDIMScheduler", "steps_offset": -1})", "steps_offset");
  refused(R"({"_class_name": "DDIMScheduler", "set_alpha_to_zero": true})", "no scheduler has a key");
  refused(R"({"_class_name": "UniPCMultistepScheduler", "solver_order": 4})", "solver_order");
  refused(R"({"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 0})", "shift");
  CHECK_NOTHROW(of(R"({"_class_name": "DDIMScheduler", "set_alpha_to_zero": null})"));
  const SchedulerConfig flux =
      of(R"({"_class_name": "FlowMatchEulerDiscreteScheduler", "use_dynamic_shifting": true})");
  CHECK_THROWS_WITH_AS(training_schedule(flux), doctest::Contains("use_dynamic_shifting"), ValueError);
  CHECK_THROWS_AS(training_schedule(of(R"({"_class_name": "DDIMScheduler", "beta_start": 0.5})")), ValueError);
}
