#include "engine/ops/random/random.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "engine/error.h"
#include "engine/random/fills.h"

using namespace plumb;

namespace {
const RandomKey kKey{.seed = 3, .step = 5, .sample0 = 100};
}

TEST_CASE("randn: rows follow the sample index, whatever the shape of a row") {
  const std::vector<float> batch = randn(kKey, {4, 3, 5}).to_vector<float>();
  for (int64_t row = 0; row < 4; ++row) {
    const std::vector<float> alone = randn(kKey.at_sample(100 + uint64_t(row)), {1, 15}).to_vector<float>();
    CHECK(std::equal(alone.begin(), alone.end(), batch.begin() + row * 15));
  }
}

TEST_CASE("randn: every floating dtype; 16 bits are rounded f32 draws") {
  for (DType dtype : {DType::f32, DType::f64, DType::bf16, DType::f16})
    CHECK(randn(kKey, {2, 3}, dtype).dtype() == dtype);
  CHECK(randn(kKey, {9, 7}, DType::bf16).to_vector<double>() ==
        randn(kKey, {9, 7}).to(DType::bf16).to_vector<double>());
  CHECK(rand(kKey, {9, 7}, DType::f16).to_vector<double>() == rand(kKey, {9, 7}).to(DType::f16).to_vector<double>());
  CHECK_THROWS_WITH_AS(randn(kKey, {2}, DType::i64), "randn: dtype must be floating (i64); shape [2]", DTypeError);
}

TEST_CASE("random: 0-d, empty and negative shapes") {
  CHECK(randn(kKey, {}).numel() == 1);
  CHECK(randn(kKey, {}).item() == randn(kKey, {1, 1}).item());
  CHECK(rand(kKey, {0, 3}).numel() == 0);
  CHECK(randint(kKey, 0, 5, {3, 0}).numel() == 0);
  CHECK_THROWS_AS(randn(kKey, {-1}), ShapeError);
}

TEST_CASE("randint: is i64 in range and matches the raw fill") {
  std::vector<int64_t> raw(8);
  fill_randint(kKey, {4, 2}, -2, 1000, raw.data());
  const Tensor drawn = randint(kKey, -2, 1000, {4, 2});
  CHECK(drawn.dtype() == DType::i64);
  CHECK(drawn.to_vector<int64_t>() == raw);
  CHECK_THROWS_AS(randint(kKey, 1, 1, {4}), ValueError);
}

TEST_CASE("randn: with a generator gives torch's latents and leaves it where torch's would be") {
  Generator generator(42);
  const Tensor latents = randn(generator, {1, 4, 64, 64});
  CHECK(latents.shape() == Shape{1, 4, 64, 64});
  CHECK(latents.to_vector<double>()[0] == doctest::Approx(1.92691529).epsilon(1e-6));
  Generator other(42);
  for (int i = 0; i < 4 * 64 * 64; ++i) other.next_u32();
  CHECK(uniform(generator, {3}).to_vector<float>() == uniform(other, {3}).to_vector<float>());
  CHECK(randint(generator, 0, 9, {2, 2}).to_vector<int64_t>() == randint(other, 0, 9, {4}).to_vector<int64_t>());
}

TEST_CASE("uniform: with a generator honours bounds and dtype") {
  Generator generator(1);
  const Tensor wide = uniform(generator, {1000}, -3, 5, DType::f64);
  CHECK(wide.dtype() == DType::f64);
  const std::vector<double> values = wide.to_vector<double>();
  CHECK(*std::min_element(values.begin(), values.end()) >= -3);
  CHECK(*std::min_element(values.begin(), values.end()) < -2.9);
  CHECK(*std::max_element(values.begin(), values.end()) < 5);
  CHECK(*std::max_element(values.begin(), values.end()) > 4.9);
  CHECK_THROWS_AS(uniform(generator, {2}, 0, 1, DType::bf16), DTypeError);
}
