#pragma once

#include <cstddef>
#include <cstdint>

namespace plumb::plot {

/// An sRGB colour; alpha in [0, 1].
struct Color {
  uint8_t red = 0, green = 0, blue = 0;
  double alpha = 1;

  bool operator==(const Color&) const = default;
};

/// 0xRRGGBB.
constexpr Color rgb(uint32_t code) { return {uint8_t(code >> 16), uint8_t(code >> 8), uint8_t(code), 1}; }
constexpr Color with_alpha(Color color, double alpha) { return {color.red, color.green, color.blue, alpha}; }

inline constexpr Color kInk = rgb(0x1f2933);      // titles, centres
inline constexpr Color kSoftInk = rgb(0x52606d);  // captions, tick labels
inline constexpr Color kFrame = rgb(0xc3cad3);
inline constexpr Color kGrid = rgb(0xeceff3);
inline constexpr Color kPaper = rgb(0xffffff);

inline constexpr std::size_t kClassColors = 12;

/// The colour of a class or of a method: twelve hues that people with the common forms of colour blindness can tell
/// apart (the bright, then the muted scheme of P. Tol, "Colour schemes", SRON/EPS/TN/09-002, 2021); repeats after
/// kClassColors.
Color class_color(std::size_t index);

/// Dark blue through green to yellow, even to the eye (viridis); t in [0, 1], NaN is grey.
Color sequential_color(double t);
/// Blue through white to red; t in [-1, 1], 0 is white, NaN is grey.
Color diverging_color(double t);

/// a at 0, b at 1.
Color mix(Color a, Color b, double t);

}  // namespace plumb::plot
