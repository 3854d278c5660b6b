#include "apps/common/plot/color.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace plumb::plot {
namespace {

constexpr Color kMissing = rgb(0xbbbbbb);

uint8_t mix_channel(uint8_t a, uint8_t b, double t) {
  return static_cast<uint8_t>(std::floor(a + (static_cast<double>(b) - a) * t + 0.5));
}

template <std::size_t kCount>
Color along(const Color (&stops)[kCount], double t) {
  double position = std::clamp(t, 0.0, 1.0) * (kCount - 1);
  auto left = std::min(static_cast<std::size_t>(position), kCount - 2);
  return mix(stops[left], stops[left + 1], position - static_cast<double>(left));
}

}  // namespace

Color mix(Color a, Color b, double t) {
  return {mix_channel(a.red, b.red, t), mix_channel(a.green, b.green, t), mix_channel(a.blue, b.blue, t),
          a.alpha + (b.alpha - a.alpha) * t};
}

Color class_color(std::size_t index) {
  static constexpr Color kColors[kClassColors] = {rgb(0x4477aa), rgb(0xee6677), rgb(0x228833), rgb(0xccbb44),
                                                  rgb(0x66ccee), rgb(0xaa3377), rgb(0x332288), rgb(0xdd7733),
                                                  rgb(0x44aa99), rgb(0x882255), rgb(0x999933), rgb(0x777777)};
  return kColors[index % kClassColors];
}

Color sequential_color(double t) {
  static constexpr Color kStops[] = {rgb(0x440154), rgb(0x472d7b), rgb(0x3b528b), rgb(0x2c728e), rgb(0x21918c),
                                     rgb(0x28ae80), rgb(0x5ec962), rgb(0xaddc30), rgb(0xfde725)};
  return std::isnan(t) ? kMissing : along(kStops, t);
}

Color diverging_color(double t) {
  static constexpr Color kStops[] = {rgb(0x2166ac), rgb(0x67a9cf), rgb(0xd1e5f0), rgb(0xf7f7f7),
                                     rgb(0xfddbc7), rgb(0xef8a62), rgb(0xb2182b)};
  return std::isnan(t) ? kMissing : along(kStops, (t + 1) / 2);
}

}  // namespace plumb::plot
