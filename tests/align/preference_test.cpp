#include "align/preference.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/ops/random/random.h"

using namespace plumb;

namespace {

PreferencePairs make_pairs() {
  PreferencePairs pairs;
  pairs.winners = randn(RandomKey{1}, {6, 2});
  pairs.losers = randn(RandomKey{2}, {6, 2});
  pairs.condition.labels = from_vector<int64_t>({0, 0, 1, 1, 2, 2}, {6});
  pairs.negative.labels = from_vector<int64_t>({1, 2, 2, 0, 0, 1}, {6});
  return pairs;
}

}  // namespace

TEST_CASE("preference: taking rows keeps winner, loser and conditions together") {
  const PreferencePairs pairs = make_pairs();
  const PreferencePairs batch = pairs.take(from_vector<int64_t>({4, 4, 1}, {3}));
  CHECK(batch.size() == 3);
  CHECK(batch.condition.labels.to_vector<int64_t>() == std::vector<int64_t>{2, 2, 0});
  CHECK(batch.negative.labels.to_vector<int64_t>() == std::vector<int64_t>{0, 0, 2});
  CHECK(batch.losers.to_vector<float>()[4] == pairs.losers.to_vector<float>()[2]);
  CHECK_THROWS_AS(pairs.take(from_vector<int64_t>({6}, {1})), IndexError);
}

TEST_CASE("preference: one pair a prompt keeps the first of each, in their order") {
  PreferencePairs pairs = make_pairs();
  pairs.condition.labels = from_vector<int64_t>({2, 0, 2, 1, 0, 2}, {6});
  const PreferencePairs kept = one_pair_a_prompt(pairs);
  CHECK(kept.condition.labels.to_vector<int64_t>() == std::vector<int64_t>{2, 0, 1});
  const PreferencePairs expected = pairs.take(from_vector<int64_t>({0, 1, 3}, {3}));
  CHECK(kept.winners.to_vector<float>() == expected.winners.to_vector<float>());
  CHECK(kept.losers.to_vector<float>() == expected.losers.to_vector<float>());
  CHECK(kept.negative.labels.to_vector<int64_t>() == std::vector<int64_t>{1, 2, 0});
  pairs.condition.labels = {};
  CHECK_THROWS_AS(one_pair_a_prompt(pairs), ValueError);
}

TEST_CASE("preference: another prompt never has the same label, and all are drawn") {
  const Tensor labels = make_pairs().condition.labels;
  int64_t seen[6][6] = {};
  for (uint64_t step = 0; step < 300; ++step) {
    const std::vector<int64_t> other = draw_other_prompts(labels, RandomKey{3}.at_step(step)).to_vector<int64_t>();
    for (size_t i = 0; i < 6; ++i) ++seen[i][other[i]];
  }
  for (size_t i = 0; i < 6; ++i)
    for (size_t j = 0; j < 6; ++j) CHECK((seen[i][j] > 0) == (i / 2 != j / 2));
  CHECK_THROWS_WITH_AS(draw_other_prompts(zeros({3}, DType::i64), RandomKey{}),
                       "pairs: another prompt's winner needs at least two prompts", ValueError);
}

TEST_CASE("preference: rand-positive takes the other's condition as c-, not-paired keeps its own") {
  const PreferencePairs pairs = make_pairs();
  const Tensor other = from_vector<int64_t>({2, 3, 4, 5, 0, 1}, {6});
  const PreferencePairs positive = rand_positive_pairs(pairs, other), unpaired = not_paired_pairs(pairs, other);
  CHECK(positive.negative.labels.to_vector<int64_t>() == std::vector<int64_t>{1, 1, 2, 2, 0, 0});
  CHECK(unpaired.negative.labels.to_vector<int64_t>() == pairs.negative.labels.to_vector<int64_t>());
  for (const PreferencePairs* p : {&positive, &unpaired}) {
    CHECK(p->winners.to_vector<float>() == pairs.winners.to_vector<float>());
    CHECK(p->losers.to_vector<float>()[0] == pairs.winners.to_vector<float>()[4]);
  }
}
