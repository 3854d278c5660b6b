#include "engine/ops/resize/interpolate_bilinear.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "engine/error.h"
#include "engine/ops.h"
#include "tests/support/golden.h"
#include "tests/support/numeric.h"

using namespace plumb;
using plumb::test::bits_of;
using plumb::test::message_of;
using plumb::test::random_tensor;

namespace {

/// Another way to the same numbers: a triangle of width one input pixel, clamped at the borders.
std::vector<double> naive(const Tensor& x, int64_t height, int64_t width) {
  const std::vector<double> v = x.to(DType::f64).to_vector<double>();
  const int64_t h = x.size(2), w = x.size(3);
  const auto sample = [](double centre, int64_t size, auto&& value) {
    double sum = 0;
    for (int64_t k = -1; k <= size; ++k) {
      const double weight = std::max(0.0, 1 - std::abs(centre - double(k)));
      if (weight > 0) sum += weight * value(std::clamp<int64_t>(k, 0, size - 1));
    }
    return sum;
  };
  std::vector<double> out;
  for (int64_t plane = 0; plane < x.size(0) * x.size(1); ++plane)
    for (int64_t i = 0; i < height; ++i)
      for (int64_t j = 0; j < width; ++j) {
        const double y = (double(i) + 0.5) * double(h) / double(height) - 0.5;
        const double z = (double(j) + 0.5) * double(w) / double(width) - 0.5;
        out.push_back(sample(y, h, [&](int64_t row) {
          return sample(z, w, [&](int64_t column) { return v[size_t((plane * h + row) * w + column)]; });
        }));
      }
  return out;
}

}  // namespace

TEST_CASE("interpolate_bilinear: torch's values") {
  const plumb::test::Golden golden("resize");
  REQUIRE(golden.cases("resize").size() == 14);
  for (const Json& entry : golden.cases("resize")) {
    const Tensor x = golden.tensor(entry, "x"), expected = golden.tensor(entry, "y");
    const Json& size = entry.at("size");
    const Tensor y = interpolate_bilinear(x, size[0].as_integer(), size[1].as_integer());
    CHECK(y.dtype() == x.dtype());
    // A sum of four products whose weights add to one, of values up to 4: a few roundings.
    const double epsilon = x.dtype() == DType::f64 ? 2.3e-16 : 1.2e-7;
    CHECK_MESSAGE(plumb::test::disagreement(y, expected, {.absolute = 16 * epsilon}).empty(), entry.dump());
  }
}

TEST_CASE("interpolate_bilinear: a triangle around each centre, for any memory layout") {
  for (const auto& [shape, height, width] :
       {std::tuple{Shape{2, 3, 5, 4}, 7, 9}, {Shape{1, 2, 9, 8}, 3, 2}, {Shape{1, 1, 1, 6}, 4, 1}}) {
    const Tensor x = random_tensor(shape, 3);
    const Tensor y = interpolate_bilinear(x, height, width);
    CHECK(plumb::test::worst_error(y, naive(x, height, width)) <= 1e-14);
    CHECK(bits_of(interpolate_bilinear(plumb::test::reversed_memory(x), height, width)) == bits_of(y));
    CHECK(bits_of(interpolate_bilinear(plumb::test::with_gaps(x), height, width)) == bits_of(y));
  }
}

TEST_CASE("interpolate_bilinear: its own size is the picture bit for bit, a flat picture stays flat") {
  const Tensor x = random_tensor({2, 2, 5, 3}, 1, DType::f32);
  CHECK(bits_of(interpolate_bilinear(x, 5, 3)) == bits_of(x));
  CHECK(bits_of(interpolate_bilinear(full({1, 1, 5, 3}, 0.25), 8, 2)) == bits_of(full({1, 1, 8, 2}, 0.25)));
  CHECK(interpolate_bilinear(zeros({0, 3, 4, 4}), 2, 2).shape() == Shape{0, 3, 2, 2});
}

TEST_CASE("interpolate_bilinear: 16 bits are blended in f32 and rounded once") {
  for (const DType dtype : {DType::bf16, DType::f16}) {
    const Tensor x = random_tensor({1, 2, 6, 5}, 2, dtype);
    const Tensor expected = interpolate_bilinear(x.to(DType::f32), 9, 4).to(dtype);
    CHECK(bits_of(interpolate_bilinear(x, 9, 4)) == bits_of(expected));
  }
}

TEST_CASE("interpolate_bilinear: what it refuses") {
  CHECK(message_of([] {
          interpolate_bilinear(zeros({3, 4, 4}), 2, 2);
        }) == "interpolate_bilinear: input must be [N, C, H, W] with H and W positive; f32[3, 4, 4]");
  CHECK(message_of([] {
          interpolate_bilinear(zeros({1, 1, 0, 4}), 2, 2);
        }).find("H and W positive") != std::string::npos);
  CHECK(message_of([] {
          interpolate_bilinear(zeros({1, 1, 4, 4}), 0, 2);
        }) == "interpolate_bilinear: size must be positive (0 by 2); f32[1, 1, 4, 4]");
  CHECK_THROWS_AS(interpolate_bilinear(zeros({1, 1, 4, 4}, DType::i64), 2, 2), DTypeError);
}
