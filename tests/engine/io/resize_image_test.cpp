#include "engine/io/resize_image.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/support/golden.h"

using namespace plumb;
using plumb::test::Golden;

namespace {

Image image_of(const Tensor& pixels) {
  return {pixels.size(1), pixels.size(0), pixels.size(2), pixels.to_vector<uint8_t>()};
}

}  // namespace

TEST_CASE("resize image: every byte is Pillow's, for all kernels, up and down") {
  const Golden golden("pictures");
  const std::vector<Json> cases = golden.cases("resize");
  CHECK(cases.size() == 110);
  for (const Json& entry : cases) {
    CAPTURE(entry.at("case").as_string());
    const Json source = Json::object().set("case", entry.at("of"));
    const Json& size = entry.at("size");
    const Image resized = resize_image(image_of(golden.tensor(source, "x")), size[0].as_integer(), size[1].as_integer(),
                                       resize_filter_from_name(entry.at("filter").as_string()));
    CHECK(resized == image_of(golden.tensor(entry, "y")));
  }
}

TEST_CASE("resize image: what cannot be is refused") {
  const Image grey{2, 2, 1, {1, 2, 3, 4}};
  CHECK_THROWS_AS(resize_image(grey, 0, 1, ResizeFilter::box), ValueError);
  CHECK_THROWS_AS(resize_image(grey, 1 << 20, 1 << 20, ResizeFilter::box), ValueError);
  CHECK_THROWS_AS(resize_image({1, 1, 4, {1, 2, 3, 4}}, 2, 2, ResizeFilter::box), ValueError);
  CHECK_THROWS_AS(resize_image({2, 2, 1, {1}}, 3, 3, ResizeFilter::box), ValueError);
  CHECK_THROWS_AS(resize_filter_from_name("cubic"), ValueError);
  CHECK(name_of(resize_filter_from_name("hamming")) == "hamming");
}
