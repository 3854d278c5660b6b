#include <algorithm>
#include <cstdio>
#include <map>

#include "align/perturb/random_removal.h"
#include "apps/common/globals.h"
#include "apps/common/output_dir.h"
#include "apps/common/plot/font.h"
#include "apps/common/plot/raster.h"
#include "apps/shapes/actions.h"
#include "apps/shapes/shots.h"
#include "engine/format.h"
#include "engine/io/png.h"

namespace plumb::shapes {
namespace {

constexpr double kPicture = 96, kGap = 14, kLine = 12, kText = 10, kLeft = 8;
constexpr int kLines = 5;  // of text below a picture

/// The first pictures of each category, categories in turn.
std::vector<const Shot*> choose(const std::vector<Shot>& shots, int64_t count) {
  std::map<Category, std::vector<const Shot*>> by_category;
  for (const Shot& shot : shots) by_category[shot.score.category].push_back(&shot);
  std::vector<const Shot*> chosen;
  for (size_t i = 0; int64_t(chosen.size()) < std::min(count, int64_t(shots.size())); ++i)
    for (const auto& [category, list] : by_category)
      if (i < list.size() && int64_t(chosen.size()) < count) chosen.push_back(list[i]);
  return chosen;
}

/// Words as lines that are no wider than a picture and its gap.
std::vector<std::string> wrapped(const std::string& text) {
  std::vector<std::string> lines(1);
  for (const std::string_view word : split_words(text)) {
    std::string longer = lines.back() + (lines.back().empty() ? "" : " ") + std::string(word);
    if (plot::text_width(longer, kText) > kPicture + kGap - 8 && !lines.back().empty())
      lines.emplace_back(word);
    else
      lines.back() = std::move(longer);
  }
  return lines;
}

std::string read_as(const Shot& shot) {
  if (!shot.reading.readable) return "unreadable: " + shot.reading.problem;
  if (shot.score.correct) return "right";
  std::string text = fmt::format("wrong ({:.2f}):", shot.score.partial);
  for (const Object& o : shot.reading.scene.objects)
    text += fmt::format("{} {} {}", text.ends_with(':') ? "" : ",", name_of(o.hue), name_of(o.shape));
  return shot.reading.scene.objects.empty() ? text + " nothing" : text;
}

void add_picture(plot::Scene& scene, const Shot& shot, double left, double top) {
  // Green, vermilion and grey differ in lightness too; the words below say the same.
  const plot::Color mark = !shot.reading.readable ? plot::rgb(0x999999)
                           : shot.score.correct   ? plot::rgb(0x009e73)
                                                  : plot::rgb(0xd55e00);
  const plot::Rect place{left, top, left + kPicture, top + kPicture};
  plot::Cells cells;
  cells.place = place;
  cells.columns = size_t(shot.image.width);
  for (size_t i = 0; i < shot.image.pixels.size(); i += 3)
    cells.colors.push_back({shot.image.pixels[i], shot.image.pixels[i + 1], shot.image.pixels[i + 2]});
  scene.add(std::move(cells));
  const auto [l, t, r, b] = place;
  scene.add(plot::Strokes{.lines = {{{l, t}, {r, t}, {r, b}, {l, b}, {l, t}}}, .width = 3, .color = mark});
  double line = top + kPicture + kLine;
  int lines = 0;
  for (const auto& [text, color] : {std::pair{shot.prompt, plot::kInk}, {read_as(shot), mark}})
    for (const std::string& part : wrapped(text)) {
      if (lines++ < kLines) scene.add(plot::Label{.at = {left, line}, .text = part, .size = kText, .color = color});
      line += kLine;
    }
}

Image draw_sheet(const std::vector<const Shot*>& shots, int64_t columns) {
  const double width = kPicture + kGap, height = kPicture + kGap + kLines * kLine;
  const auto rows = (int64_t(shots.size()) + columns - 1) / columns;
  plot::Scene scene;
  scene.width = 2 * kLeft + double(columns) * width;
  scene.height = 2 * kLeft + double(rows) * height;
  for (size_t i = 0; i < shots.size(); ++i)
    add_picture(scene, *shots[i], kLeft + double(int64_t(i) % columns) * width,
                kLeft + double(int64_t(i) / columns) * height);
  const plot::Canvas canvas = plot::rasterize(scene, 1);
  return {.width = canvas.width(), .height = canvas.height(), .channels = 3, .pixels = canvas.pixels()};
}

}  // namespace

int run_sheet(const Arguments& arguments) {
  std::string images, world = "tiny";
  int64_t count = 48, columns = 12;
  GlobalFlags global{.out = "sheet.png"};
  Flags flags("shapes sheet", "a sheet of pictures with their prompts, what they were read as, and right or wrong");
  flags.add("--images", images, "folder with metadata.jsonl, as plumb sample writes it").required();
  flags.add("--world", world, "tiny, full, a JSON file, or a data set's folder").shown_as("WORLD");
  flags.add("--count", count, "pictures, the categories in turn", between(1, 2000));
  flags.add("--columns", columns, "pictures in a row", between(1, 60));
  flags.add_global(global);
  flags.example("plumb shapes sheet --images runs/sample --out sheet.png");
  if (!flags.parse(arguments)) return kExitDone;
  apply_globals(global);
  require_writable_file(global.out);
  const std::vector<Shot> shots = read_shots(images, load_world(world));
  const std::vector<const Shot*> chosen = choose(shots, count);
  write_png(global.out, draw_sheet(chosen, std::min(columns, int64_t(chosen.size()))));
  if (!global.quiet) std::printf("%zu pictures: %s\n", chosen.size(), global.out.c_str());
  return kExitDone;
}

}  // namespace plumb::shapes
