#include "align/worlds/shapes/score.h"

#include <algorithm>
#include <array>

namespace plumb::shapes {
namespace {

constexpr size_t kMostObjects = 6;
using Objects = std::vector<const Object*>;

template <class F>
bool all_of(const Objects& objects, F&& holds) {
  return !objects.empty() && std::all_of(objects.begin(), objects.end(), [&](const Object* o) { return holds(*o); });
}

/// What a phrase requires of the objects given to it.
Requirements phrase_met(const Phrase& phrase, const Objects& given, const World& world) {
  const bool shape = all_of(given, [&](const Object& o) { return o.shape == phrase.shape; });
  Requirements r{.met = shape, .all = 1};
  if (phrase.hue) ++r.all, r.met += all_of(given, [&](const Object& o) { return o.hue == *phrase.hue; });
  if (phrase.size)
    ++r.all, r.met += all_of(given, [&](const Object& o) { return size_of(world, o.radius) == *phrase.size; });
  if (phrase.count > 0) ++r.all, r.met += shape && int64_t(given.size()) == phrase.count;
  return r;
}

/// Of the middles of the objects given to the two phrases.
bool relation_met(Relation relation, const std::array<Objects, 2>& given) {
  if (given[0].empty() || given[1].empty()) return false;
  double dx = 0, dy = 0;
  for (const size_t p : {size_t(0), size_t(1)})
    for (const Object* object : given[p]) {
      const double weight = (p == 0 ? 1.0 : -1.0) / double(given[p].size());
      dx += weight * object->x;
      dy += weight * object->y;
    }
  return relation_of(dx, dy) == relation;
}

/// All requirements for one way of giving the objects to the phrases. A number that is said is right only when the
/// objects left over are of another shape.
Requirements met_by(const Statement& caption, const std::array<Objects, 2>& given, const Objects& others,
                    const World& world) {
  Requirements sum{.all = 1};
  for (size_t p = 0; p < caption.phrases.size(); ++p) {
    const Phrase& phrase = caption.phrases[p];
    Requirements one = phrase_met(phrase, given[p], world);
    const bool miscounted = phrase.count > 0 && int64_t(given[p].size()) == phrase.count && one.met == one.all &&
                            std::any_of(others.begin(), others.end(), [&](const Object* o) {
                              return o->shape == phrase.shape && (!phrase.hue || o->hue == *phrase.hue);
                            });
    sum.met += one.met - miscounted;
    sum.all += one.all;
  }
  if (caption.relation) ++sum.all, sum.met += relation_met(*caption.relation, given);
  sum.nothing_else = others.empty() && sum.met > 0;
  sum.met += sum.nothing_else;
  return sum;
}

}  // namespace

Requirements requirements_met(const Statement& caption, const std::vector<Object>& objects, const World& world) {
  const size_t count = std::min(objects.size(), kMostObjects), owners = caption.phrases.size() + 1;
  size_t ways = 1;
  for (size_t i = 0; i < count; ++i) ways *= owners;
  Requirements best;
  for (size_t way = 0; way < ways; ++way) {
    std::array<Objects, 2> given;
    Objects others;
    size_t rest = way;
    for (size_t i = 0; i < count; ++i, rest /= owners)
      (rest % owners < 2 && rest % owners < owners - 1 ? given[rest % owners] : others).push_back(&objects[i]);
    bool too_many = false;
    for (size_t p = 0; p < caption.phrases.size(); ++p)
      too_many |= int64_t(given[p].size()) > caption.phrases[p].objects();
    if (too_many) continue;
    const Requirements met = met_by(caption, given, others, world);
    if (best.all == 0 || met.met > best.met) best = met;
  }
  if (objects.size() > kMostObjects && best.nothing_else) --best.met, best.nothing_else = false;
  return best;
}

Score score(const Statement& caption, const Reading& reading, const World& world) {
  Score score{.category = category_of(caption),
              .unreadable = !reading.readable,
              .residual = reading.residual,
              .quality = reading.quality};
  if (!reading.readable || reading.scene.objects.empty()) return score;
  const Requirements r = requirements_met(caption, reading.scene.objects, world);
  score.partial = double(r.met) / double(r.all);
  score.correct = r.met == r.all;
  score.found = r.met + !r.nothing_else == r.all;
  return score;
}

}  // namespace plumb::shapes
