#include "apps/common/run_identity.h"

#include <doctest/doctest.h>

#include "apps/common/exit_codes.h"

using namespace plumb;

namespace {

Json identity_of(const std::string& toml, LrScheduleKind kind = LrScheduleKind::constant,
                 const std::vector<std::string_view>& left_out = {}) {
  return run_identity(parse_config(toml, "test"), kind, left_out);
}

}  // namespace

TEST_CASE("run identity: what decides a run, without what may change on the way") {
  CHECK(identity_of("seed = 1\nthreads = 3\nout = 'x'\nhealth_window = 5\nlearning_rate = 0.5\nhidden = 4", {},
                    {"hidden"})
            .dump() == R"({"seed": 1, "learning_rate": 0.5})");
  // The number of steps counts where the rate depends on it.
  CHECK(identity_of("max_train_steps = 9").size() == 0);
  CHECK(identity_of("max_train_steps = 9", LrScheduleKind::constant_with_warmup).size() == 0);
  CHECK(identity_of("max_train_steps = 9", LrScheduleKind::cosine).size() == 1);
  // What there was no choice of once is not in old checkpoints.
  CHECK(identity_of("optimizer = 'adamw'\nmixed_precision = 'no'").size() == 0);
  CHECK(identity_of("optimizer = 'adafactor'\nmixed_precision = 'bf16'").size() == 2);
}

TEST_CASE("run identity: differences name setting, old and new value") {
  const Json saved = Json::parse(R"({"a": 1, "b": 2.5, "gone": true, "pairs_sha256": "x"})");
  const Json wanted = Json::parse(R"({"b": 3.5, "a": 1, "pairs_sha256": "x", "new": "n"})");
  const std::vector<RunDifference> found = run_differences(saved, wanted);
  REQUIRE(found.size() == 3);
  CHECK(found[0].key == "b");
  CHECK(found[0].was == "2.5");
  CHECK(found[0].now == "3.5");
  CHECK(found[1].key == "gone");
  CHECK(found[1].now == "not set");
  CHECK(found[2].key == "new");
  CHECK(found[2].was == "not set");
  CHECK(run_differences(saved, saved).empty());
  const Json later = Json::parse(R"({"a": 1, "model_weights_sha256": "x"})");
  CHECK(run_differences(Json::parse(R"({"a": 1})"), later).empty());
  CHECK(run_differences(later, Json::parse(R"({"a": 1, "model_weights_sha256": "y"})")).size() == 1);
  CHECK_THROWS_WITH_AS(check_same_run("train", "c-1", found, false),
                       "train: c-1 was made with --b 2.5 (this run: 3.5); give the same value, allow it with "
                       "--resume_with_changes, or start afresh in another --out",
                       UsageError);
  CHECK_NOTHROW(check_same_run("train", "c-1", found, true));
  CHECK_NOTHROW(check_same_run("train", "c-1", {}, false));
}

TEST_CASE("run identity: other data or weights are refused whatever is allowed") {
  for (const bool allowed : {false, true}) {
    CHECK_THROWS_WITH_AS(check_same_run("align", "c-1", {{"pairs_sha256", "1", "2"}}, allowed),
                         "align: c-1 was made from other training data (pairs_sha256); give the same, or start afresh "
                         "in another --out",
                         UsageError);
    CHECK_THROWS_WITH_AS(check_same_run("align", "c-1", {{"model_sha256", "1", "2"}}, allowed),
                         "align: c-1 was made from other weights (model_sha256); give the same, or start afresh in "
                         "another --out",
                         UsageError);
  }
}
