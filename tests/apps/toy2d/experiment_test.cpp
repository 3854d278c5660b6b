#include "apps/toy2d/experiment.h"

#include <doctest/doctest.h>

#include <cmath>

#include "apps/toy2d/claims/claims.h"
#include "apps/toy2d/report.h"
#include "engine/parallel.h"

using namespace plumb;
using namespace plumb::toy2d;

namespace {

/// Small enough for a second, odd enough to leave remainders.
Settings small_settings() {
  Settings settings;
  settings.global.quiet = true;
  settings.world.classes = 3;
  settings.samples_per_class = 17;
  settings.training_samples_per_class = 40;
  settings.reference_steps = 12;
  settings.reference_batch = 33;
  settings.seeds = 2;
  settings.first_seed = 7;
  settings.samplers = {"ddim5", "ddpm7"};
  return settings;
}

Results run_with_threads(const Settings& settings, const std::vector<Method>& methods, int threads) {
  const int before = num_threads();
  set_num_threads(threads);
  const StopOnSignal stop;
  Results results = run_experiment(settings, methods, stop);
  set_num_threads(before);
  return results;
}

/// One of each way to train: the others differ by their objective's arithmetic alone.
std::vector<Method> short_methods() {
  KeyValues set;
  for (const Method& method : all_methods()) {
    set.emplace_back(method.name + ".steps", "3");
    set.emplace_back(method.name + ".pairs_per_step", "5");
  }
  set.emplace_back("ddspo_dd.adapter_steps", "3");
  return choose_methods(
      {"sft", "diffusion_kto", "self_dpo", "ddspo_oracle", "ddspo_tf", "ddspo_dd", "ddspo_rand_positive", "rethinking"},
      set);
}

}  // namespace

TEST_CASE("toy2d: every sample has the same bits for any thread count") {
  const Settings settings = small_settings();
  const std::vector<Method> methods = short_methods();
  const Results one = run_with_threads(settings, methods, 1);
  for (int threads : {2, 3, 8}) {
    const Results many = run_with_threads(settings, methods, threads);
    REQUIRE(many.rows.size() == one.rows.size());
    for (size_t i = 0; i < one.rows.size(); ++i) {
      CHECK(many.rows[i].row == one.rows[i].row);
      CHECK(many.rows[i].samples.to_vector<float>() == one.rows[i].samples.to_vector<float>());
      CHECK(many.rows[i].metrics.sw2 == one.rows[i].metrics.sw2);
    }
    for (size_t i = 0; i < one.log.size(); ++i) CHECK(log_json(many.log[i]).dump() == log_json(one.log[i]).dump());
  }
}

TEST_CASE("toy2d: rows, seeds and files are as documented") {
  const Settings settings = small_settings();
  const std::vector<Method> methods =
      choose_methods({"sft", "ddspo_tf"}, {{"sft.steps", "2"}, {"ddspo_tf.steps", "2"}});
  const Results results = run_with_threads(settings, methods, 2);
  const std::vector<RowSummary> rows = summarize(results);
  // truth, noisy; reference and guided by two samplers; two methods by two sources by two samplers
  CHECK(rows.size() == 2 + 4 + 8);
  for (const RowSummary& row : rows) CHECK(row.seeds == std::vector<int64_t>{7, 8});
  const RowSummary* row = find_row(rows, {"ddspo_tf", "reference", "ddpm7"});
  REQUIRE(row);
  CHECK((*row)["sw2"].values.size() == 2);
  CHECK(std::isfinite((*row)["score_error"].mean()));
  const Json json = metrics_json(settings, methods, results, rows, judge_claims(rows, settings));
  const Json& first = json.at("rows")[0];
  CHECK(first.at("method").as_string() == "truth");
  CHECK(first.at("pairs_per_class").as_integer() == 2);
  for (std::string_view name : kMetricNames) CHECK(first.at("metrics").at(name).at("values").size() == 2);
  CHECK(json.at("settings").at("methods").at("sft").at("steps").as_integer() == 2);
  CHECK(json.at("claims").size() > 0);
  CHECK(results.rows[0].samples.shape() == Shape({3, 17, 2}));
}

TEST_CASE("toy2d: the same seed gives the same row whether it is alone or not") {
  Settings settings = small_settings();
  const std::vector<Method> methods = choose_methods({"diffusion_dpo"}, {{"diffusion_dpo.steps", "2"}});
  const Results both = run_with_threads(settings, methods, 2);
  settings.seeds = 1;
  settings.first_seed = 8;
  const Results alone = run_with_threads(settings, methods, 2);
  for (const RowResult& row : alone.rows)
    for (const RowResult& other : both.rows)
      if (other.seed == 8 && other.row == row.row)
        CHECK(row.samples.to_vector<float>() == other.samples.to_vector<float>());
}

TEST_CASE("toy2d: methods and their settings are checked by name") {
  CHECK_THROWS_AS(choose_methods({"ddpo"}, {}), UsageError);
  CHECK_THROWS_AS(choose_methods({"all"}, {{"beta", "1"}}), UsageError);
  CHECK_THROWS_AS(choose_methods({"all"}, {{"sft.stepz", "1"}}), UsageError);
  CHECK_THROWS_AS(choose_methods({"all"}, {{"diffusion_dpo.beta", "-1"}}), UsageError);
  CHECK_THROWS_AS(choose_methods({"all"}, {{"sft.steps", "0"}}), UsageError);
  const std::vector<Method> chosen = choose_methods({"ddspo_tf", "sft"}, {{"ddspo_tf.lr", "1e-3"}});
  CHECK(chosen.size() == 2);
  CHECK(chosen[0].name == "sft");  // the table's order
  CHECK(chosen[1].learning_rate == 1e-3);
}

TEST_CASE("toy2d: rows that every run has may be named among the methods") {
  CHECK(choose_methods({"truth", "noisy", "reference", "reference_guided"}, {}).empty());
  CHECK(choose_methods({"truth", "sft"}, {}).size() == 1);
  CHECK(choose_methods(table_method_names(), {}).size() + 2 <= all_methods().size());
}

TEST_CASE("toy2d: a run without a method has the shared rows alone") {
  Settings settings = small_settings();
  const Results results = run_with_threads(settings, choose_methods({"truth"}, {}), 2);
  CHECK(summarize(results).size() == 2 + 4);
}

TEST_CASE("toy2d: the table's numbers in the objectives' own units") {
  const auto settings_of = [](const char* name) { return objective_settings(method_named(name)); };
  CHECK(settings_of("diffusion_dpo") == ObjectiveSettings{{"reduction", "sum"}, {"beta", "2"}});
  CHECK(settings_of("dspo") == ObjectiveSettings{{"reduction", "sum"}, {"lambda", "0.001"}, {"temperature", "0.002"}});
  CHECK(settings_of("dspo_e") == ObjectiveSettings{{"reduction", "sum"}, {"lambda", "0.001"}});
  CHECK(settings_of("mapo") == ObjectiveSettings{{"reduction", "mean"}, {"b", "0.01"}});
  CHECK(settings_of("diffusion_kto") == ObjectiveSettings{{"reduction", "sum"}, {"beta", "10"}});
  CHECK(settings_of("self_dpo") == ObjectiveSettings{{"reduction", "sum"}, {"beta", "2"}});
  CHECK(settings_of("rethinking") == settings_of("diffusion_dpo"));
  CHECK(settings_of("sft") == ObjectiveSettings{{"reduction", "sum"}});
  Method apart = method_named("dspo");
  apart.lambda = 0.5;
  apart.temperature = 100;
  CHECK(objective_settings(apart) ==
        ObjectiveSettings{{"reduction", "sum"}, {"lambda", "0.5"}, {"temperature", "200"}});
}

TEST_CASE("toy2d: wrappers are set by key, and refused where they mean nothing") {
  const Method plain = choose_methods({"diffusion_dpo"}, {{"diffusion_dpo.lr", "1e-3"}})[0];
  CHECK_FALSE(plain.reference_update.has_value());
  CHECK(plain.timesteps.kind == TimestepSampling::uniform);
  const KeyValues set = {{"rethinking.tau", "16"},          {"rethinking.delta", "inf"},
                         {"rethinking.policy", "reinit"},   {"rethinking.test", "candidate"},
                         {"rethinking.gamma", "1"},         {"rethinking.bins", "10"},
                         {"rethinking.reward_scale", "max"}};
  const Method wrapped = choose_methods({"rethinking"}, set)[0];
  REQUIRE(wrapped.reference_update.has_value());
  CHECK(wrapped.reference_update->tau == 16);
  CHECK(std::isinf(wrapped.reference_update->delta));
  CHECK(wrapped.reference_update->policy == ReferencePolicy::reinit);
  CHECK(wrapped.reference_update->test == ReferenceTest::candidate);
  CHECK(wrapped.timesteps.kind == TimestepSampling::uniform);
  CHECK(wrapped.reward_scale == RewardScale::max);
  CHECK_FALSE(choose_methods({"rethinking"}, {{"rethinking.tau", "0"}})[0].reference_update.has_value());
  CHECK_THROWS_AS(choose_methods({"sft"}, {{"sft.tau", "16"}}), UsageError);
  CHECK_THROWS_AS(choose_methods({"sft"}, {{"sft.beta", "1"}}), UsageError);
  CHECK_THROWS_AS(choose_methods({"rethinking"}, {{"rethinking.policy", "thaw"}}), UsageError);
  CHECK_THROWS_AS(choose_methods({"rethinking"}, {{"rethinking.gamma", "0"}}), UsageError);
  CHECK_THROWS_AS(choose_methods({"self_dpo"}, {{"self_dpo.lambda1", "-1"}}), UsageError);
  CHECK(objective_settings(choose_methods({"self_dpo"}, {{"self_dpo.lambda1", "0"}})[0]).back() ==
        std::pair<std::string, std::string>("lambda1", "0"));
}

TEST_CASE("toy2d: wrappers that change nothing give the same samples") {
  Settings settings = small_settings();
  settings.seeds = 1;
  const auto samples_with = [&](const KeyValues& set) {
    const Results results = run_with_threads(settings, choose_methods({"rethinking"}, set), 1);
    return results.rows.back().samples.to_vector<float>();
  };
  KeyValues plain = {{"rethinking.steps", "4"}, {"rethinking.gamma", "1"}, {"rethinking.reward_scale", "none"}};
  KeyValues frozen = plain, late = plain;
  frozen.emplace_back("rethinking.tau", "0");
  late.emplace_back("rethinking.tau", "1000");
  CHECK(samples_with(frozen) == samples_with(late));
  KeyValues moving = plain;
  moving.emplace_back("rethinking.tau", "1");
  moving.emplace_back("rethinking.beta", "100");
  frozen.emplace_back("rethinking.beta", "100");
  CHECK(samples_with(frozen) != samples_with(moving));
}

TEST_CASE("toy2d: DSPO-ref does not leave the reference") {
  Settings settings = small_settings();
  settings.seeds = 1;
  const std::vector<Method> methods = choose_methods({"dspo_ref"}, {{"dspo_ref.steps", "3"}});
  const Results results = run_with_threads(settings, methods, 1);
  const std::vector<RowSummary> rows = summarize(results);
  for (const char* sampler : {"ddim5", "ddpm7"})
    CHECK((*find_row(rows, {"dspo_ref", "clean", sampler}))["sw2"].values ==
          (*find_row(rows, {"reference", "none", sampler}))["sw2"].values);
}

TEST_CASE("toy2d: sampler names are read strictly") {
  const NoiseScheduleOptions schedule{.num_train_timesteps = 100};
  CHECK(parse_sampler("ddim25", schedule).steps == 25);
  CHECK(parse_sampler("ddpm100", schedule).kind == SamplerKind::ddpm);
  for (const char* bad : {"ddim", "ddim0", "ddim101", "ddim5x", "euler5", "", "ddim-3"})
    CHECK_THROWS_AS(parse_sampler(bad, schedule), UsageError);
}

TEST_CASE("toy2d: a row's mean and deviation") {
  const Spread spread{{1, 2, 4}};
  CHECK(spread.mean() == doctest::Approx(7.0 / 3));
  CHECK(spread.deviation() == doctest::Approx(std::sqrt(7.0 / 3)));
  CHECK(Spread{{5}}.deviation() == 0);
}
