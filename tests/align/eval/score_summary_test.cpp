#include "align/eval/score_summary.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/error.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
const BootstrapOptions kFew{.resamples = 300};

/// Three prompts of two categories, two pictures each; what `value` makes of their number 0 to 5.
ScoreFile file_of(const std::string& path, double (*value)(int)) {
  ScoreFile file{path, {"score"}, {}};
  const char* const prompts[] = {"a", "b", "c"};
  for (int i = 0; i < 6; ++i) file.pictures.push_back({prompts[i / 2], i % 2, i / 2 == 1 ? "odd" : "even", {value(i)}});
  return file;
}

double number(int i) { return i; }
double swapped(int i) { return i % 2 == 0 ? i + 1 : i - 1; }
double with_gap(int i) { return i == 3 ? kNaN : i; }

}  // namespace

TEST_CASE("scores: means, counts and run means by hand") {
  const ScoreSummary got = summarize_scores({file_of("x", number), file_of("y", with_gap)}, kFew, {});
  CHECK(got.categories == std::vector<std::string>{"even", "odd"});
  CHECK(got.all.prompts == 3);
  CHECK(got.all.pictures == 12);
  CHECK(got.all.scored == std::vector<int64_t>{11});
  CHECK(got.by_category[0].prompts == 2);
  CHECK(got.by_category[1].pictures == 4);
  CHECK(got.by_category[1].scored == std::vector<int64_t>{3});
  CHECK(got.means.prompts.all[0].mean == doctest::Approx(27.0 / 11));
  CHECK(got.means.prompts.strata[0].mean == doctest::Approx(2.5));
  CHECK(got.means.prompts.strata[1].mean == doctest::Approx(7.0 / 3));
  CHECK(got.means.prompts.mean_of_strata[0].mean == doctest::Approx((2.5 + 7.0 / 3) / 2));
  CHECK(got.means.run_means == std::vector<double>{2.5, 2.4});
  REQUIRE(got.means.runs.has_value());
  // Category "even" has prompts of mean 0.5 and 4.5: a resample has one of three means, the ends with a quarter each.
  CHECK(got.means.prompts.strata[0].low == doctest::Approx(0.5));
  CHECK(got.means.prompts.strata[0].high == doctest::Approx(4.5));
  CHECK_FALSE(summarize_scores({file_of("x", number)}, kFew, {}).means.runs.has_value());
}

TEST_CASE("scores: two runs are compared picture by picture; a tie is half a win") {
  ScoreFile ours = file_of("x", swapped), theirs = file_of("y", number);
  theirs.pictures[0].values[0] = 1;  // a tie with ours; the other of prompt "a" is lost
  ScoreComparison got = compare_scores({ours}, {theirs}, false, kFew, {});
  CHECK(got.pairs == 6);
  CHECK(got.unmatched == 0);
  CHECK(got.all[0].wins == 2);
  CHECK(got.all[0].ties == 1);
  CHECK(got.all[0].losses == 3);
  CHECK(got.by_category[0].losses == 2);
  CHECK(got.by_category[1].wins == 1);
  CHECK(got.means.prompts.all[0].mean == doctest::Approx(-1.0 / 6));
  CHECK(got.means.prompts.all[1].mean == doctest::Approx(2.5 / 6));
  CHECK(got.means.prompts.strata[1].mean == doctest::Approx(1.5 / 4));  // wins of "even"
  CHECK(got.means.prompts.strata[3].mean == doctest::Approx(0.5));
  // A pair without a value on one side does not count.
  ours.pictures[5].values[0] = kNaN;
  got = compare_scores({ours}, {theirs}, false, kFew, {});
  CHECK(got.pairs == 6);
  CHECK(got.all[0].losses == 2);
  CHECK(got.means.prompts.all[1].mean == doctest::Approx(2.5 / 5));
}

TEST_CASE("scores: differences of equal files are nothing, with certainty") {
  const ScoreComparison got = compare_scores({file_of("x", number)}, {file_of("y", number)}, false, kFew, {});
  CHECK(got.means.prompts.all[0].low == 0);
  CHECK(got.means.prompts.all[0].high == 0);
  CHECK(got.means.prompts.all[1].low == 0.5);
  CHECK(got.all[0].ties == 6);
}

TEST_CASE("scores: several runs against one, or run by run") {
  const std::vector<ScoreFile> ours = {file_of("x", number), file_of("y", swapped)};
  const ScoreComparison one = compare_scores(ours, {file_of("z", number)}, false, kFew, {});
  CHECK(one.pairs == 12);
  CHECK(one.all[0].ties == 6);
  CHECK(one.means.run_means == std::vector<double>{0, 0.5, 0, 0.5});
  CHECK(one.means.runs.has_value());
  const ScoreComparison each = compare_scores(ours, {file_of("p", swapped), file_of("q", swapped)}, false, kFew, {});
  CHECK(each.all[0].ties == 6);
  CHECK(message_of([&] {
          compare_scores(ours, {ours[0], ours[0], ours[0]}, false, kFew, {});
        }) == "scores: there must be one file to compare with, or one for each of ours (3 and 2)");
}

TEST_CASE("scores: pictures without a partner are refused, or counted") {
  ScoreFile ours = file_of("x", number), theirs = file_of("y", number);
  ours.pictures.erase(ours.pictures.begin() + 3);
  theirs.pictures.erase(theirs.pictures.begin());
  CHECK(message_of([&] { compare_scores({ours}, {theirs}, false, kFew, {}); }) ==
        "scores: prompts and seeds must be the same in both; 2 pictures have no partner, the first (\"a\", seed 0) is "
        "not in y");
  const ScoreComparison got = compare_scores({ours}, {theirs}, true, kFew, {});
  CHECK(got.pairs == 4);
  CHECK(got.unmatched == 2);
  for (ScoredPicture& picture : theirs.pictures) picture.seed += 10;
  CHECK(message_of([&] { compare_scores({ours}, {theirs}, true, kFew, {}); }) ==
        "scores: files must have a prompt and seed in common (x and y)");
}

TEST_CASE("scores: refuses a prompt in two categories and files of other fields") {
  const ScoreFile ours = file_of("x", number);
  ScoreFile theirs = file_of("y", number);
  theirs.pictures[1].category = "odd";
  CHECK(message_of([&] { compare_scores({ours}, {theirs}, false, kFew, {}); }) ==
        "scores: a prompt must have one category (\"a\" has \"even\" and \"odd\" in y)");
  theirs.fields = {"other"};
  CHECK(message_of([&] {
          summarize_scores({ours, theirs}, kFew, {});
        }) == "scores: files must have the same fields (x: score; y: other)");
  CHECK(message_of([&] { summarize_scores({}, kFew, {}); }) == "scores: there must be a file");
}
