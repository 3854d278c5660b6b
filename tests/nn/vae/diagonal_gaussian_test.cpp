#include "nn/vae/diagonal_gaussian.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/ops/random/random.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("DiagonalGaussian: logarithms of variances are clamped; sampling and divergence follow their formulas") {
  const Tensor moments = from_vector(std::vector<double>{0.5, -1, 2, 3, -40, 1, 25, -2}, {2, 2, 2});
  const DiagonalGaussian normal{moments};
  CHECK(normal.mean().value().to_vector<double>() == std::vector<double>{0.5, -1, -40, 1});
  CHECK(normal.logvar().value().to_vector<double>() == std::vector<double>{2, 3, 20, -2});
  CHECK(normal.mode().value().to_vector<double>() == normal.mean().value().to_vector<double>());
  const Tensor noise = from_vector(std::vector<double>{1, -1, 0, 2}, {2, 1, 2});
  CHECK(worst_error(normal.sample(noise).value(),
                    {0.5 + std::exp(1.0), -1 - std::exp(1.5), -40, 1 + 2 * std::exp(-1.0)}) < 1e-14);
  auto term = [](double mean, double logvar) { return 0.5 * (mean * mean + std::exp(logvar) - 1 - logvar); };
  CHECK(worst_error(normal.kl().value(), {term(0.5, 2) + term(-1, 3), term(-40, 20) + term(1, -2)}) < 1e-14);
  CHECK(DiagonalGaussian(from_vector(std::vector<double>{0, -35}, {1, 2})).logvar().value().to_vector<double>() ==
        std::vector<double>{-30});
}

TEST_CASE("DiagonalGaussian: a key draws as it does elsewhere; what does not fit is refused") {
  const DiagonalGaussian normal{random_tensor({2, 4, 3, 2}, 1, DType::f32)};
  const RandomKey key{.seed = 4};
  CHECK(bits_of(normal.sample(key).value()) == bits_of(normal.sample(randn(key, {2, 2, 3, 2})).value()));
  CHECK(bits_of(normal.sample(key).value()) != bits_of(normal.sample(key.at_step(1)).value()));
  CHECK(message_of([&] {
          normal.sample(zeros({2, 2, 2, 3}));
        }) == "DiagonalGaussian: noise must be like the mean; noise f32[2, 2, 2, 3], mean f32[2, 2, 3, 2]");
  CHECK(message_of([&] {
          DiagonalGaussian{zeros({2, 3, 4})};
        }) == "DiagonalGaussian: moments must be [N, 2 C, ...]; f32[2, 3, 4]");
}
