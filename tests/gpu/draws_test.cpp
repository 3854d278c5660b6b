#include <doctest/doctest.h>

#include "engine/ops/random/random.h"
#include "tests/gpu/accuracy.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("gpu: random draws have the CPU's bits") {
  for (const RandomKey& key : {RandomKey{.seed = 1}, RandomKey{.seed = 9}.fork("x").at_step(1'000'003).at_sample(77)})
    for (const Shape& shape : {Shape{1, 1}, Shape{3, 5, 7}, Shape{129, 1021}, Shape{0, 4}}) {
      for (DType dtype : {DType::f32, DType::f64, DType::bf16}) {
        CHECK(bits_of(randn(key, shape, dtype, kCuda).to(kCpu)) == bits_of(randn(key, shape, dtype)));
        CHECK(bits_of(rand(key, shape, dtype, kCuda).to(kCpu)) == bits_of(rand(key, shape, dtype)));
      }
      CHECK(bits_of(randint(key, -5, 1000, shape, kCuda).to(kCpu)) == bits_of(randint(key, -5, 1000, shape)));
    }
}
