// Every alignment objective against formulas in torch: loss, gradient, logit, implicit accuracy; see
// tests/golden/README.md.

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "apps/objective/run_case.h"
#include "tests/support/golden.h"

using namespace plumb;

namespace {

bool is_built(std::string_view name) {
  const auto& table = objective_table();
  return std::any_of(table.begin(), table.end(), [name](const ObjectiveEntry& entry) { return entry.name == name; });
}

}  // namespace

TEST_CASE("objective: every golden case agrees with torch, gradient included") {
  const plumb::test::Golden golden("objectives");
  REQUIRE(golden.cases().size() == 120);
  std::set<std::string> compared;
  for (const Json& entry : golden.cases()) {
    const std::string& name = entry.at("objective").as_string();
    const std::string number = std::to_string(entry.at("case").as_integer());
    CAPTURE(number);
    CAPTURE(name);
    CAPTURE(entry.at("set").dump());
    CAPTURE(entry.at("kind").as_string());
    REQUIRE(is_built(name));
    const TensorMap got = run_objective_entry(entry, golden.tensors(number + ".in."));
    CHECK(plumb::test::disagreement(got, golden.tensors(number + ".out."), entry.at("tolerance"), true) == "");
    compared.insert(name);
  }
  // Every objective there is has golden data.
  CHECK(compared.size() == 10);
  CHECK(objective_table().size() == 10);
}
