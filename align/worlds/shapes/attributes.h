#pragma once

#include <vector>

#include "align/worlds/shapes/scene.h"
#include "nn/classifier/picture_classifier_options.h"

namespace plumb::shapes {

/// What a classifier can be taught to tell of a world's pictures: how many objects there are, shape and colour of the
/// leftmost and of the rightmost (the same object where there is one), and quality. What cannot differ in a world is
/// left out.
std::vector<ClassifierHead> attribute_heads(const World& world);

/// The class of every head, for a scene of this world with at least one object. Throws ValueError for another scene.
std::vector<int64_t> attributes_of(const Scene& scene, const World& world);

}  // namespace plumb::shapes
