#include "align/downgrade/downgrade.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <utility>

#include "align/downgrade/blur.h"
#include "align/downgrade/random_grid.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "tests/support/golden.h"
#include "tests/support/numeric.h"

using namespace plumb;
using plumb::test::bits_of;
using plumb::test::message_of;
using plumb::test::random_tensor;

namespace {

/// The elements of tile (row, column) of picture n, tiles of h by w.
std::vector<double> tile(const Tensor& x, int64_t n, int64_t number, int64_t columns, int64_t h, int64_t w) {
  const int64_t top = number / columns * h, left = number % columns * w;
  return slice(slice(slice(x, 0, n, n + 1), 2, top, top + h), 3, left, left + w).contiguous().to_vector<double>();
}

/// The tiles of a picture that random_grid changed, checked to have changed places.
std::vector<int64_t> swapped_tiles(const Tensor& before, const Tensor& after, int64_t n) {
  const int64_t rows = std::min<int64_t>(8, before.size(2)), columns = std::min<int64_t>(8, before.size(3));
  const int64_t h = before.size(2) / rows, w = before.size(3) / columns;
  std::vector<int64_t> changed;
  for (int64_t i = 0; i < rows * columns; ++i)
    if (tile(before, n, i, columns, h, w) != tile(after, n, i, columns, h, w)) changed.push_back(i);
  if (changed.size() == 2) {
    CHECK(tile(before, n, changed[0], columns, h, w) == tile(after, n, changed[1], columns, h, w));
    CHECK(tile(before, n, changed[1], columns, h, w) == tile(after, n, changed[0], columns, h, w));
  }
  return changed;
}

PreferencePairs pairs_of(const Tensor& winners) {
  const Tensor labels = arange(0, double(winners.size(0)));
  return {.winners = winners,
          .losers = zeros_like(winners),
          .condition = {.labels = labels},
          .negative = {.labels = labels}};
}

}  // namespace

TEST_CASE("blur: torch's values, sizes that four divides or not") {
  const plumb::test::Golden golden("resize");
  REQUIRE(golden.cases("blur").size() == 12);
  for (const Json& entry : golden.cases("blur")) {
    const Tensor x = golden.tensor(entry, "x");
    const double epsilon = x.dtype() == DType::f64 ? 2.3e-16 : 1.2e-7;
    CHECK_MESSAGE(plumb::test::disagreement(blur(x), golden.tensor(entry, "y"), {.absolute = 32 * epsilon}).empty(),
                  entry.dump());
  }
  CHECK_THROWS_AS(blur(zeros({4, 4})), ShapeError);
}

TEST_CASE("random_grid: two tiles change places and nothing else does") {
  for (const Shape& shape :
       {Shape{6, 3, 16, 24}, Shape{4, 2, 19, 11}, Shape{5, 1, 8, 8}, Shape{4, 2, 5, 9}, Shape{3, 1, 1, 4}}) {
    const Tensor x = random_tensor(shape, 5, DType::f32);
    const Tensor y = random_grid(x, {.seed = 3});
    for (int64_t n = 0; n < shape[0]; ++n) CHECK(swapped_tiles(x, y, n).size() == 2);
    // Left-over rows and columns stay.
    const int64_t bottom = shape[2] / std::min<int64_t>(8, shape[2]) * std::min<int64_t>(8, shape[2]);
    const int64_t right = shape[3] / std::min<int64_t>(8, shape[3]) * std::min<int64_t>(8, shape[3]);
    CHECK(bits_of(slice(x, 2, bottom, shape[2])) == bits_of(slice(y, 2, bottom, shape[2])));
    CHECK(bits_of(slice(x, 3, right, shape[3])) == bits_of(slice(y, 3, right, shape[3])));
    CHECK(bits_of(random_grid(plumb::test::reversed_memory(x), {.seed = 3})) == bits_of(y));
  }
}

TEST_CASE("random_grid: equal tiles do not count as a swap") {
  const Tensor flat = full({2, 3, 16, 16}, 0.5);
  CHECK(bits_of(random_grid(flat, {.seed = 1})) == bits_of(flat));
  CHECK(bits_of(random_grid(random_tensor({2, 3, 1, 1}, 1), {.seed = 1})) == bits_of(random_tensor({2, 3, 1, 1}, 1)));
  // One tile differs, in its last channel and pixel alone: it moves every time, to each of the 63 places equally often.
  Tensor x = zeros({1, 2, 16, 16});
  const int64_t odd = 8 * 3 + 5;
  x.mutable_data<float>()[16 * 16 + (2 * 3 + 1) * 16 + 2 * 5 + 1] = 1;
  std::map<int64_t, int> partners;
  constexpr int kDraws = 6300;
  for (uint64_t seed = 0; seed < kDraws; ++seed) {
    const auto changed = swapped_tiles(x, random_grid(x, {.seed = seed}), 0);
    REQUIRE(changed.size() == 2);
    REQUIRE((changed[0] == odd || changed[1] == odd));
    ++partners[changed[0] == odd ? changed[1] : changed[0]];
  }
  double chi_square = 0;
  for (const auto& [place, count] : partners) chi_square += (count - 100.0) * (count - 100.0) / 100;
  CHECK(partners.size() == 63);
  CHECK(chi_square < 102.2);  // 99.9% with 62 degrees of freedom
}

TEST_CASE("random_grid: a row's draw belongs to its number, not to the batch") {
  const Tensor x = random_tensor({5, 1, 16, 16}, 5, DType::f32);
  const Tensor whole = random_grid(x, {.seed = 3}), rest = random_grid(slice(x, 0, 2, 5), {.seed = 3, .sample0 = 2});
  CHECK(bits_of(slice(whole, 0, 2, 5)) == bits_of(rest));
  CHECK(bits_of(random_grid(x, {.seed = 4})) != bits_of(whole));
  CHECK(random_grid(zeros({0, 3, 8, 8}), {.seed = 3}).shape() == Shape{0, 3, 8, 8});
  CHECK_THROWS_AS(random_grid(zeros({8, 8}), {.seed = 3}), ShapeError);
}

TEST_CASE("downgrade: losers come from the winners alone, fresh each step; the rest of a pair stays") {
  const PreferencePairs batch = pairs_of(random_tensor({6, 3, 16, 16}, 5, DType::f32));
  for (const DowngradeKind kind : {DowngradeKind::random_image, DowngradeKind::blur, DowngradeKind::random_grid}) {
    const Downgrade transform({.kind = kind});
    const PreferencePairs one = transform(batch, {.seed = 1, .step = 1}),
                          two = transform(batch, {.seed = 1, .step = 2});
    CHECK(bits_of(one.winners) == bits_of(batch.winners));
    CHECK(bits_of(one.condition.labels) == bits_of(batch.condition.labels));
    CHECK(bits_of(one.negative.labels) == bits_of(batch.negative.labels));
    for (int64_t i = 0; i < 6; ++i)
      CHECK(bits_of(slice(one.losers, 0, i, i + 1)) != bits_of(slice(batch.winners, 0, i, i + 1)));
    CHECK((bits_of(one.losers) == bits_of(two.losers)) == (kind == DowngradeKind::blur));
    CHECK(bits_of(one.losers) == bits_of(transform(batch, {.seed = 1, .step = 1}).losers));
  }
}

TEST_CASE("downgrade: for points the loser is another point; a batch of one asks the data set") {
  const PreferencePairs points = pairs_of(random_tensor({9, 2}, 5, DType::f32));
  const PreferencePairs result = Downgrade({})(points, {.seed = 1});
  for (int64_t i = 0; i < 9; ++i)
    CHECK(bits_of(slice(result.losers, 0, i, i + 1)) != bits_of(slice(points.winners, 0, i, i + 1)));
  const PreferencePairs one = points.take(from_vector<int64_t>({3}, {1}));
  CHECK_THROWS_AS(Downgrade({})(one, {.seed = 1}), ValueError);
  const Tensor loser = Downgrade({.data_set = points.winners})(one, {.seed = 1}).losers;
  CHECK(bits_of(loser) != bits_of(one.winners));
  int64_t found = 0;
  for (int64_t i = 0; i < 9; ++i) found += bits_of(loser) == bits_of(slice(points.winners, 0, i, i + 1));
  CHECK(found == 1);
}
