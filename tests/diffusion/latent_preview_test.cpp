#include "diffusion/latent_preview.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/ops.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("latent preview: a colour a pixel, linear in the latents") {
  const Tensor x = from_vector<float>({1, 0, 0, 2, 0, -1, 3, 0}, {1, 4, 1, 2});
  const Tensor rgb = latent_preview(x);
  CHECK(rgb.shape() == Shape{1, 3, 1, 2});
  CHECK(worst_error(rgb, {0.298 + 0 - 3 * 0.184, 2 * 0.187 + 0.158, 0.207 - 3 * 0.271, 2 * 0.286 - 0.189,
                          0.208 - 3 * 0.473, 2 * 0.173 - 0.264}) <= 1e-6);
  CHECK(latent_preview(ones({2, 1, 4, 4})).shape() == Shape{2, 3, 4, 4});
  CHECK(latent_preview(ones({2, 16, 4, 4})).shape() == Shape{2, 3, 4, 4});
  CHECK_THROWS_AS(latent_preview(ones({2, 4})), ShapeError);
}
