#include "apps/common/plot/font.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "apps/common/plot/glyphs.h"

using namespace plumb::plot;

TEST_CASE("font: every printable ASCII character has a shape of its own inside its box") {
  std::set<std::string> shapes;
  for (char c = '!'; c <= '~'; ++c) {
    CAPTURE(c);
    CHECK(shapes.insert(glyph_of(static_cast<unsigned char>(c)).path).second);
    double size = 200, width = text_width(std::string(1, c), size);
    auto lines = text_strokes(std::string(1, c), size, Anchor::start, false);
    CHECK(!lines.empty());
    for (const auto& line : lines) {
      CHECK(line.size() >= 2);
      for (Point p : line) {
        CHECK(p.x >= -1e-9);
        CHECK(p.x <= width + 1e-9);
        CHECK(p.y <= 0.25 * size);   // descenders
        CHECK(p.y >= -0.85 * size);  // ascenders
      }
    }
  }
}

TEST_CASE("font: anchors put the text where they say, and widths add up") {
  for (Anchor anchor : {Anchor::start, Anchor::middle, Anchor::end}) {
    double left = 1e9, right = -1e9, width = text_width("HNH", 20);
    for (const auto& line : text_strokes("HNH", 20, anchor, false)) {
      for (Point p : line) left = std::min(left, p.x), right = std::max(right, p.x);
    }
    double share = anchor == Anchor::start ? 0 : anchor == Anchor::middle ? 0.5 : 1;
    CHECK(std::abs(left + share * width) <= 1e-9);
    CHECK(std::abs(right - (1 - share) * width) <= 1e-9);
  }
  CHECK(text_width("", 12) == 0);
  CHECK(text_width("aa", 24) == doctest::Approx(2 * text_width("aa", 12)));
  CHECK(text_width("aa", 12, true) > text_width("aa", 12));
}

TEST_CASE("font: heights are whole pixels, so that level strokes are sharp") {
  for (double size : {10.0, 11.5, 12.0, 14.0, 24.0}) {
    CAPTURE(size);
    for (const char* letter : {"x", "H"}) {
      double top = 0;
      for (const auto& line : text_strokes(letter, size, Anchor::start, false)) {
        for (Point p : line) top = std::min(top, p.y);
      }
      CHECK(top == std::round(top));
      CHECK(top < 0);
    }
  }
}

TEST_CASE("font: signs beyond ASCII are known, the rest and broken bytes are question marks") {
  CHECK(&glyph_of(0xb1) != &glyph_of('?'));
  CHECK(&glyph_of(0x4e2d) == &glyph_of('?'));
  CHECK(text_width("\xc2\xb1", 12) == text_width("+", 12));
  CHECK(text_width("\xe4\xb8\xad", 12) == text_width("?", 12));
  CHECK(text_width("\xff\xff", 12) > 0);
  CHECK(text_width("\xe4", 12) > 0);
}
