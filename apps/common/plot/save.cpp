#include "apps/common/plot/save.h"

#include "apps/common/plot/raster.h"
#include "apps/common/plot/svg.h"
#include "engine/io/file.h"

namespace plumb::plot {

void save(const Figure& figure, const std::string& stem, double scale, const PngText& text) {
  Scene scene = layout(figure);
  Canvas canvas = rasterize(scene, scale);
  write_file_atomic(stem + ".svg", to_svg(scene));
  write_png(stem + ".png", {canvas.width(), canvas.height(), 3, canvas.pixels()}, text);
}

}  // namespace plumb::plot
