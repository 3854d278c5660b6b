#include "apps/shapes/study/claims.h"

#include <doctest/doctest.h>

#include "engine/random/generator.h"

using namespace plumb;
using namespace plumb::study;

namespace {

/// A row of `seeds` models that is right in a share of 300 prompts, 2 pictures each, drawn with its own key.
RowResult row_of(const std::string& name, double share, int64_t seeds, uint64_t key) {
  RowResult row{.name = name};
  Generator generator(key);
  for (int64_t seed = 0; seed < seeds; ++seed) {
    ScoreFile file;
    file.path = name;
    file.fields = {"correct", "partial", "unreadable"};
    for (int prompt = 0; prompt < 300; ++prompt)
      for (int64_t picture = 0; picture < 2; ++picture) {
        const double right = double(generator.next_u32()) < share * 4294967296.0 ? 1.0 : 0.0;
        file.pictures.push_back({.prompt = std::to_string(prompt),
                                 .seed = picture,
                                 .category = prompt % 2 ? "colors" : "position",
                                 .values = {right, right, 0}});
      }
    row.models.push_back({.seed = seed, .tests = {{2.0, file}}});
  }
  return row;
}

Verdict verdict_of(const std::vector<Judged>& judged, const std::string& a, const std::string& b) {
  for (const Judged& one : judged)
    if (one.claim.a == a && one.claim.b == b) return one.verdict;
  FAIL("no such claim: " << a << " and " << b);
  return Verdict::undetermined;
}

}  // namespace

TEST_CASE("claims are held, not held or undetermined as intervals of paired differences say") {
  Results results{.reference_best = 2};
  results.rows = {row_of("reference", 0.40, 1, 1), row_of("ddspo", 0.60, 3, 2), row_of("diffusion_dpo", 0.25, 3, 3),
                  row_of("sft", 0.60, 3, 4)};
  const std::vector<Judged> judged = judge_claims(results, RandomKey{.seed = 5});
  CHECK(judged.size() == 4);  // claims of rows that are not there are left out
  CHECK(verdict_of(judged, "ddspo", "reference") == Verdict::held);
  CHECK(verdict_of(judged, "diffusion_dpo", "reference") == Verdict::did_not_hold);
  CHECK(verdict_of(judged, "ddspo", "diffusion_dpo") == Verdict::held);
  CHECK(verdict_of(judged, "ddspo", "sft") == Verdict::undetermined);
}

TEST_CASE("rows are compared without guidance and each at its own best, too, where they were tested there") {
  Results results{.reference_best = 2};
  results.rows = {row_of("reference", 0.40, 1, 1), row_of("ddspo", 0.60, 1, 2)};
  results.rows[0].own_best = 2;
  results.rows[1].models[0].tests[3.0] = row_of("ddspo", 0.20, 1, 6).models[0].tests.at(2.0);
  results.rows[1].own_best = 3;
  const std::vector<Judged> judged = judge_claims(results, RandomKey{.seed = 5});
  REQUIRE(judged.size() == 1);
  CHECK(judged[0].difference.low > 0);
  CHECK_FALSE(judged[0].at_one);
  REQUIRE(judged[0].at_own_best);
  CHECK(judged[0].at_own_best->high < 0);
}

TEST_CASE("where some runs of a row were ended, as many of both are compared") {
  Results results{.reference_best = 2};
  results.rows = {row_of("ddspo", 0.6, 2, 2), row_of("diffusion_dpo", 0.3, 3, 3)};
  const auto found = compare_rows(results, "ddspo", "diffusion_dpo", 2, RandomKey{.seed = 5});
  REQUIRE(found);
  CHECK(found->pairs == 2 * 600);
  CHECK_FALSE(compare_rows(results, "ddspo", "diffusion_dpo", 3, RandomKey{.seed = 5}));
  CHECK_FALSE(compare_rows(results, "ddspo", "nobody", 2, RandomKey{.seed = 5}));
}
