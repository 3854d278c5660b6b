#include "align/worlds/shapes/caption_noise.h"

#include <algorithm>
#include <functional>

namespace plumb::shapes {
namespace {

using Edit = std::function<void()>;

template <class T>
T another(const std::vector<T>& all, T than, Draws& draws) {
  std::vector<T> others = all;
  std::erase(others, than);
  return draws.one_of(others);
}

void join(Statement& statement) {
  statement.relation.reset();
  statement.link_word = 0;
}

std::vector<Edit> possible_drops(Statement& statement) {
  std::vector<Edit> edits;
  for (Phrase& phrase : statement.phrases) {
    if (phrase.hue) edits.push_back([&phrase] { phrase.hue.reset(), phrase.hue_word = 0; });
    if (phrase.count > 0) edits.push_back([&phrase] { phrase.count = phrase.count_word = 0; });
  }
  if (statement.relation) edits.push_back([&] { join(statement); });
  for (size_t i = 0; i < 2 && statement.phrases.size() == 2; ++i)
    edits.push_back([&statement, i] {
      statement.phrases.erase(statement.phrases.begin() + std::ptrdiff_t(i));
      join(statement);
    });
  return edits;
}

/// "two circles" becomes "three circles"; one and two when the world counts no further.
void miscount(Phrase& phrase, const World& world, Draws& draws) {
  std::vector<int64_t> counts;
  for (int64_t count = 1; count <= std::max<int64_t>(2, world.max_objects); ++count) counts.push_back(count);
  phrase.count = another(counts, phrase.count, draws);
  phrase.count_word = 0;
}

}  // namespace

void swap_attribute(Statement& statement, const World& world, Draws& draws) {
  std::vector<Edit> edits;
  std::vector<Phrase>& phrases = statement.phrases;
  for (Phrase& phrase : phrases) {
    if (phrase.hue)
      edits.push_back([&] {
        phrase.hue = another(world.hues, *phrase.hue, draws);
        phrase.hue_word = 0;
      });
    edits.push_back([&] {
      // Of two objects the shapes stay different.
      std::vector<ShapeKind> shapes = world.shapes;
      for (const Phrase& other : phrases)
        if (&other != &phrase && shapes.size() > 2) std::erase(shapes, other.shape);
      phrase.shape = another(shapes, phrase.shape, draws);
      phrase.shape_word = 0;
    });
  }
  if (statement.relation)
    for (int i = 0; i < 2; ++i)  // as likely as the two shapes together
      edits.push_back([&] { statement.relation = inverse(*statement.relation); });
  if (phrases.size() == 2 && phrases[0].hue && phrases[1].hue && phrases[0].hue != phrases[1].hue)
    for (int i = 0; i < 2; ++i)
      edits.push_back([&] {
        std::swap(phrases[0].hue, phrases[1].hue);
        std::swap(phrases[0].hue_word, phrases[1].hue_word);
      });
  draws.one_of(edits)();
}

Statement corrupt(Statement statement, const World& world, Draws& draws, CaptionFaults* faults) {
  CaptionFaults done;
  if (draws.chance(world.noise.swap)) {
    swap_attribute(statement, world, draws);
    done.swapped = true;
  }
  for (Phrase& phrase : statement.phrases)
    if (phrase.count > 0 && draws.chance(world.noise.count)) {
      miscount(phrase, world, draws);
      done.miscounted = true;
    }
  const std::vector<Edit> drops = possible_drops(statement);
  if (draws.chance(world.noise.drop) && !drops.empty()) {
    draws.one_of(drops)();
    done.dropped = true;
  }
  if (faults) *faults = done;
  return statement;
}

}  // namespace plumb::shapes
