#include "apps/shapes/study/rows.h"

#include <doctest/doctest.h>

#include <set>

#include "align/objective.h"
#include "apps/common/exit_codes.h"
#include "apps/shapes/study/claims.h"
#include "apps/shapes/study/train_row.h"

using namespace plumb;
using namespace plumb::study;

TEST_CASE("rows of the study: names are unique, objectives exist, settings come from rows in front") {
  std::set<std::string> names, objectives;
  for (const ObjectiveEntry& entry : objective_table()) objectives.emplace(entry.name);
  for (const Row& row : choose_rows({"all"})) {
    CAPTURE(row.name);
    CHECK(names.insert(row.name).second);
    CHECK(objectives.contains(row.objective));
    if (!row.tuned_as.empty()) CHECK(names.contains(row.tuned_as));
  }
  CHECK(names.size() == all_rows().size());
}

TEST_CASE("a row brings along the row it takes its settings from, once") {
  const std::vector<Row> rows = choose_rows({"control_equal", "ddspo", "control_empty"});
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].name == "ddspo");
  CHECK(rows[1].name == "control_equal");
  CHECK_THROWS_AS(choose_rows({"ddpso"}), UsageError);
}

TEST_CASE("every row's search looks at as many settings") {
  Recipe recipe;
  recipe.steps = {50, 100};
  recipe.learning_rates = {1e-4, 1e-5, 3e-5};
  recipe.betas = {0.25, 1};
  for (const Row& row : choose_rows({"all"})) {
    CAPTURE(row.name);
    const std::vector<Candidate> found = candidates(recipe, row);
    CHECK(found.size() == 12);
    std::set<std::tuple<double, int64_t, double>> different;
    for (const Candidate& candidate : found)
      different.emplace(candidate.learning_rate, candidate.steps, candidate.beta);
    CHECK(different.size() == 12);
    if (row.has_beta) continue;
    CHECK(found.front().learning_rate == doctest::Approx(1e-5));
    CHECK(found[5].learning_rate > 1e-4);
  }
}

TEST_CASE("claims name rows that the study has") {
  std::set<std::string> names = {"reference", "reference_negative", "continued", "clean"};
  for (const Row& row : all_rows()) names.insert(row.name);
  for (const Claim& claim : all_claims()) {
    CAPTURE(claim.claim);
    CHECK(names.contains(claim.a));
    CHECK(names.contains(claim.b));
  }
}
