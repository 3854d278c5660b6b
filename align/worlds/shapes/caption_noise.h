#pragma once

#include "align/worlds/shapes/caption.h"

namespace plumb::shapes {

/// What was done to a caption.
struct CaptionFaults {
  bool swapped = false, miscounted = false, dropped = false;
};

/// Makes a true statement wrong as World::noise says. The picture stays: a share of the pictures of "a red circle" are
/// of something else, so p(picture | caption) of the data is biased. A fault that the statement offers no place for
/// (a number to get wrong, something to leave out) does not happen. Words change only where the meaning does.
Statement corrupt(Statement statement, const World& world, Draws& draws, CaptionFaults* faults = nullptr);

/// One stated colour, shape or relation becomes another, or, of two objects with different colours, these are
/// exchanged. There is always a shape to change.
void swap_attribute(Statement& statement, const World& world, Draws& draws);

}  // namespace plumb::shapes
