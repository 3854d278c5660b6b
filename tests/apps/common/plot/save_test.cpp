#include "apps/common/plot/save.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>

#include "engine/error.h"
#include "engine/io/file.h"
#include "engine/io/png.h"

using namespace plumb;
using namespace plumb::plot;

TEST_CASE("save: both pictures are written, and the same again") {
  std::filesystem::path folder = std::filesystem::temp_directory_path() / "plumb_save_test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  Figure figure;
  figure.add("t").add(Scatter{.points = {{0, 0}, {1, 1}}});
  for (const char* name : {"a", "b"}) save(figure, (folder / name).string(), 1);
  Scene scene = layout(figure);
  Image image = read_png(folder / "a.png").image;
  CHECK(image.width == std::lround(scene.width));
  CHECK(image.height == std::lround(scene.height));
  CHECK(image.channels == 3);
  CHECK(read_file(folder / "a.svg").starts_with("<svg"));
  CHECK(read_file(folder / "a.png") == read_file(folder / "b.png"));
  CHECK(read_file(folder / "a.svg") == read_file(folder / "b.svg"));
  CHECK_THROWS_AS(save(figure, (folder / "none" / "a").string()), IoError);
  std::filesystem::remove_all(folder);
}
