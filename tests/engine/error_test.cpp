#include <doctest/doctest.h>

#include "engine/require.h"

using namespace plumb;

TEST_CASE("require: throws the named class with the formatted message") {
  CHECK_NOTHROW(require<ShapeError>(true, "matmul: inner sizes must agree ({} and {})", 3, 4));
  CHECK_THROWS_WITH_AS(require<ShapeError>(false, "matmul: inner sizes must agree ({} and {})", 3, 4),
                       "matmul: inner sizes must agree (3 and 4)", ShapeError);
}
