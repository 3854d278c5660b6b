#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/ops/random/random_kernels.h"
#include "tests/engine/cuda/both_orders.h"
#include "tests/support/numeric.h"

namespace plumb {

TEST_CASE("random on cuda: the CPU's numbers, bit by bit, for any rows, step and sample") {
  const RandomKey keys[] = {{.seed = 1},
                            RandomKey{.seed = 77}.fork("noise").at_step(1'000'003).at_sample(uint64_t(1) << 35),
                            {.seed = ~uint64_t(0), .step = (uint64_t(1) << 44) - 1}};
  for (const RandomKey& key : keys)
    for (const Rows& rows : {Rows{1, 1}, Rows{3, 2}, Rows{5, 7}, Rows{2, 1030}, Rows{0, 5}, Rows{5, 0}})
      for (DType dtype : {DType::f32, DType::f64}) {
        Tensor expected = zeros({rows.count, rows.elements}, dtype), actual = zeros({rows.count, rows.elements}, dtype);
        randn_kernel(Cpu{}, key, rows, expected);
        randn_kernel(Cuda{}, key, rows, actual);
        CHECK(test::bits_of(actual) == test::bits_of(expected));
        rand_kernel(Cpu{}, key, rows, expected);
        rand_kernel(Cuda{}, key, rows, actual);
        CHECK(test::bits_of(actual) == test::bits_of(expected));
        Tensor integers = zeros({rows.count, rows.elements}, DType::i64), drawn = zeros_like(integers);
        randint_kernel(Cpu{}, key, rows, -3, 1000, integers);
        randint_kernel(Cuda{}, key, rows, -3, 1000, drawn);
        CHECK(test::bits_of(drawn) == test::bits_of(integers));
      }
}

TEST_CASE("random on cuda: refuses what the CPU refuses") {
  Tensor out = zeros({1}), drawn = zeros({1}, DType::i64);
  CHECK_THROWS_AS(randn_kernel(Cuda{}, {.step = uint64_t(1) << 44}, {1, 1}, out), ValueError);
  CHECK_THROWS_AS(randint_kernel(Cuda{}, {}, {1, 1}, 3, 3, drawn), ValueError);
}

}  // namespace plumb
