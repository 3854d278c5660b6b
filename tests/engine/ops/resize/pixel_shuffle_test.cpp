#include "engine/ops/resize/pixel_shuffle.h"

#include <doctest/doctest.h>

#include "engine/ops.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("pixel_shuffle: four channels are the four pixels of a square, row by row") {
  const Tensor x = from_vector<int64_t>({0, 1, 10, 11, 20, 21, 30, 31}, {1, 4, 1, 2});
  const Tensor y = pixel_shuffle(x, 2);
  CHECK(y.shape() == Shape{1, 1, 2, 4});
  CHECK(y.to_vector<double>() == std::vector<double>{0, 10, 1, 11, 20, 30, 21, 31});
}

TEST_CASE("pixel_shuffle: unshuffle undoes it for every memory layout, whose order the result follows") {
  const Tensor x = random_tensor({2, 18, 4, 5}, 1), y = pixel_shuffle(x, 3);
  const Tensor nhwc = permute(permute(x, {0, 2, 3, 1}).contiguous(), {0, 3, 1, 2});
  CHECK(bits_of(pixel_unshuffle(y, 3)) == bits_of(x));
  CHECK(pixel_shuffle(nhwc, 3).is_channels_last());
  CHECK(pixel_unshuffle(pixel_shuffle(nhwc, 3), 3).is_channels_last());
  for (const Tensor& layout : {nhwc, reversed_memory(x), with_gaps(x)}) {
    CHECK(bits_of(pixel_shuffle(layout, 3)) == bits_of(y));
    CHECK(bits_of(pixel_unshuffle(pixel_shuffle(layout, 3), 3)) == bits_of(x));
  }
  CHECK(bits_of(pixel_shuffle(x, 1)) == bits_of(x));
  CHECK(pixel_shuffle(zeros({0, 4, 2, 2}), 2).shape() == Shape{0, 1, 4, 4});
}

TEST_CASE("pixel_shuffle: what it refuses") {
  CHECK(message_of([] {
          pixel_shuffle(zeros({1, 6, 2, 2}), 2);
        }) == "pixel_shuffle: channels must be divisible by 4; f32[1, 6, 2, 2]");
  CHECK(message_of([] {
          pixel_unshuffle(zeros({1, 1, 4, 3}), 2);
        }) == "pixel_unshuffle: height and width must be divisible by 2; f32[1, 1, 4, 3]");
  CHECK(message_of([] {
          pixel_shuffle(zeros({1, 4, 2, 2}), 0);
        }) == "pixel_shuffle: upscale must be from 1 to 2^20 (0); f32[1, 4, 2, 2]");
  CHECK(message_of([] {
          pixel_shuffle(zeros({4, 2, 2}), 2);
        }) == "pixel_shuffle: input must be [N, C, H, W]; f32[4, 2, 2]");
}
