#include "apps/toy2d/claims/verdict.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace plumb::toy2d;

TEST_CASE("toy2d claims: four seeds of five decide, and the mean agrees") {
  const auto of = [](int yes, int all) {
    std::vector<bool> holds(size_t(all), false);
    for (int i = 0; i < yes; ++i) holds[size_t(i)] = true;
    return holds;
  };
  CHECK(judge_seeds(of(5, 5), true) == Verdict::seen);
  CHECK(judge_seeds(of(4, 5), true) == Verdict::seen);
  CHECK(judge_seeds(of(4, 5), false) == Verdict::undetermined);
  CHECK(judge_seeds(of(3, 5), true) == Verdict::undetermined);
  CHECK(judge_seeds(of(2, 5), false) == Verdict::undetermined);
  CHECK(judge_seeds(of(1, 5), false) == Verdict::not_seen);
  CHECK(judge_seeds(of(1, 5), true) == Verdict::undetermined);
  CHECK(judge_seeds(of(0, 5), false) == Verdict::not_seen);
  CHECK(judge_seeds(of(2, 3), true) == Verdict::undetermined);  // two of three is less than four of five
  CHECK(judge_seeds(of(1, 1), true) == Verdict::seen);
  CHECK(judge_seeds({}, true) == Verdict::undetermined);
}

TEST_CASE("toy2d claims: settings that agree give their verdict, others depend") {
  const auto verdict_of = [](const std::vector<Verdict>& settings) {
    ClaimCase claim("paper", "claim");
    for (const Verdict verdict : settings) claim.add("setting", verdict, "numbers");
    const std::optional<Claim> judged = claim.judge();
    return judged ? judged->verdict : "none";
  };
  using enum Verdict;
  CHECK(verdict_of({}) == "none");
  CHECK(verdict_of({seen, seen}) == "seen");
  CHECK(verdict_of({not_seen, not_seen}) == "not seen");
  CHECK(verdict_of({seen, not_seen}) == "depends on");
  CHECK(verdict_of({seen, undetermined}) == "depends on");
  CHECK(verdict_of({not_seen, undetermined}) == "undetermined");
  CHECK(verdict_of({undetermined}) == "undetermined");
}

TEST_CASE("toy2d claims: comparisons go seed by seed, and a run that diverged is the farther one") {
  const plumb::Spread low{{1, 2, 3}}, high{{1.5, 2.5, 3.5}}, lost{{std::nan(""), 2, 3}}, fewer{{1, 2}};
  const auto verdict_of = [](const plumb::Spread* a, const plumb::Spread* b, double factor = 1) {
    ClaimCase claim("paper", "claim");
    claim.lower("setting", "sw2", {"a", a}, {"b", b}, factor);
    const std::optional<Claim> judged = claim.judge();
    return judged ? judged->verdict : "none";
  };
  CHECK(verdict_of(&low, &high) == "seen");
  CHECK(verdict_of(&high, &low) == "not seen");
  CHECK(verdict_of(&low, &high, 0.5) == "not seen");
  CHECK(verdict_of(&low, &low) == "not seen");       // a tie is no win
  CHECK(verdict_of(&low, &lost) == "undetermined");  // lower in one seed of three, ties in two
  CHECK(verdict_of(&lost, &high) == "undetermined");
  CHECK(verdict_of(&low, nullptr) == "none");
  CHECK(verdict_of(&low, &fewer) == "none");
}
