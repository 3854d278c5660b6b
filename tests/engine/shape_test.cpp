#include "engine/shape.h"

#include <doctest/doctest.h>

#include "engine/error.h"

using namespace plumb;

TEST_CASE("shape: broadcasting follows NumPy") {
  CHECK(broadcast_shapes("add", {2, 1, 4}, {3, 1}) == Shape({2, 3, 4}));
  CHECK(broadcast_shapes("add", {}, {5}) == Shape({5}));
  CHECK(broadcast_shapes("add", {0}, {1}) == Shape({0}));
  CHECK(broadcast_shapes("add", {1, 0}, {3, 1}) == Shape({3, 0}));
  CHECK_THROWS_WITH_AS(broadcast_shapes("add", {2, 3}, {2, 4}), "add: shapes do not broadcast; [2, 3] and [2, 4]",
                       ShapeError);
  CHECK_THROWS_AS(broadcast_shapes("add", {0}, {2}), ShapeError);
}

TEST_CASE("shape: sizes are checked for sign and overflow, also behind an empty dimension") {
  CHECK_NOTHROW(check_shape("empty", {0, 7}));
  CHECK_THROWS_AS(check_shape("empty", {2, -1}), ShapeError);
  const int64_t big = int64_t(1) << 40;
  CHECK_THROWS_AS(check_shape("empty", {big, big}), ShapeError);
  CHECK_THROWS_AS(check_shape("empty", {0, big, big}), ShapeError);
}

TEST_CASE("shape: rank is limited, with the limit in the message") {
  CHECK_THROWS_WITH_AS(Shape({1, 1, 1, 1, 1, 1, 1, 1, 1}), "shape: at most 8 dimensions are supported (9)", ShapeError);
  Shape full = Dims::filled(8, 1);
  CHECK_THROWS_AS(full.push_back(1), ShapeError);
}

TEST_CASE("shape: insert and erase keep the others in order") {
  Dims dims{1, 2, 3};
  dims.insert(1, 9);
  CHECK(dims == Dims({1, 9, 2, 3}));
  dims.erase(0);
  CHECK(dims == Dims({9, 2, 3}));
  CHECK(dims.back() == 3);
  CHECK(dims.back(2) == 9);
}

TEST_CASE("shape: negative dims count from the end; rank 0 counts as 1") {
  CHECK(normalize_dim("softmax", -1, 3) == 2);
  CHECK(normalize_dim("softmax", 0, 0) == 0);
  CHECK_THROWS_WITH_AS(normalize_dim("softmax", 3, 3), "softmax: dim must be in [-3, 2] (3)", IndexError);
}
