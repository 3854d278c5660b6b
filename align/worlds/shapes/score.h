#pragma once

#include "align/worlds/shapes/analyser.h"
#include "align/worlds/shapes/caption.h"

namespace plumb::shapes {

/// How well a picture follows a caption.
struct Score {
  Category category = Category::single_object;
  bool correct = false;
  double partial = 0;       ///< share of the requirements that are met, in [0, 1]; 0 for an unreadable or empty picture
  bool unreadable = false;  ///< a failure
  bool found = false;       ///< correct but for objects the caption does not name (GenEval looks no further)
  double residual = 0, quality = 0;  ///< of the reading
};

/// What a caption requires: of every phrase its shape, and its colour, size and number where it says them; the relation
/// where it says one; and that the picture holds nothing else (no credit when it holds nothing of the caption either).
/// A phrase with an article is one object. The objects are given to the phrases in the way that meets most; correct is
/// to meet all. The quality a caption asks for is no requirement: `quality` measures it.
Score score(const Statement& caption, const Reading& reading, const World& world);

/// Requirements met and their number for objects (at most 6 are looked at).
struct Requirements {
  int64_t met = 0, all = 0;
  bool nothing_else = false;
};
Requirements requirements_met(const Statement& caption, const std::vector<Object>& objects, const World& world);

}  // namespace plumb::shapes
