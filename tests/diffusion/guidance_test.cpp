#include "diffusion/guidance.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "diffusion/point_denoiser.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

struct Setup {
  Generator generator{5};
  PointDenoiser model{{.hidden = 16, .hidden_layers = 2}, generator};
  Tensor x = randn(RandomKey{1}, {7, 2}), t = full({7}, 40);
  Condition positive{.labels = from_vector<int64_t>({0, 1, 2, 3, 4, 5, 0}, {7})},
      negative{.labels = from_vector<int64_t>({1, 2, 3, 4, 5, 0, 1}, {7})};

  Tensor guided(double scale) { return guided_prediction(model, x, t, positive, negative, scale); }
  Tensor plain(const Condition& condition) { return model.predict(x, t, condition).value(); }
};

}  // namespace

TEST_CASE("guidance: scale 1 is the plain prediction, to the last bit, and needs no negative") {
  Setup s;
  CHECK(bits_of(s.guided(1)) == bits_of(s.plain(s.positive)));
  CHECK(bits_of(guided_prediction(s.model, s.x, s.t, s.positive, {}, 1)) == bits_of(s.plain(s.positive)));
}

TEST_CASE("guidance: scale 0 is the negative's prediction, and the rest is linear in the scale") {
  Setup s;
  // A row's bits may depend on how many rows a matrix product has, so equal to a few roundings of values around 1.
  CHECK(worst_error(s.guided(0), s.plain(s.negative).to_vector<double>()) <= 1e-6);
  for (double scale : {-2.0, 0.5, 3.0, 7.5}) {
    const Tensor expected = s.plain(s.negative) + (s.plain(s.positive) - s.plain(s.negative)) * scale;
    CHECK(worst_error(s.guided(scale), expected.to_vector<double>()) <= 1e-6 * (1 + std::abs(scale)));
  }
}

TEST_CASE("guidance: rescaling brings the spread of each sample to that of the positive prediction") {
  Setup s;
  const auto at = [&](double rescale) {
    return guided_prediction(s.model, s.x, s.t, s.positive, s.negative, {.scale = 4, .rescale = rescale});
  };
  const Tensor plain = s.plain(s.positive), guided = s.guided(4), full = at(1);
  CHECK(bits_of(at(0)) == bits_of(guided));
  for (int64_t n = 0; n < 7; ++n) {
    const auto spread = [&](const Tensor& x) { return stddev(select(x, 0, n)).item(); };
    CHECK(spread(full) == doctest::Approx(spread(plain)).epsilon(1e-4));
  }
  const Tensor half = full * 0.5 + guided * 0.5;
  CHECK(worst_error(at(0.5), half.to_vector<double>()) <= 1e-5);
  CHECK_THROWS_AS(at(-0.1), ValueError);
  CHECK_THROWS_AS(at(1.1), ValueError);
}

TEST_CASE("guidance: records nothing and refuses a scale that is not finite") {
  Setup s;
  for (double scale : {std::nan(""), std::numeric_limits<double>::infinity()})
    CHECK_THROWS_AS(s.guided(scale), ValueError);
  CHECK_THROWS_AS(guided_prediction(s.model, s.x, s.t, s.positive, {}, 2), ValueError);
}
