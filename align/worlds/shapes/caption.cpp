#include "align/worlds/shapes/caption.h"

#include <algorithm>
#include <set>

#include "align/perturb/random_removal.h"
#include "align/worlds/shapes/grammar.h"
#include "engine/format.h"
#include "engine/require.h"

namespace plumb::shapes {
namespace {

int64_t draw_word(const Words& words, double synonyms, Draws& draws) {
  const bool other = draws.chance(synonyms);
  const int64_t which = draws.below(int64_t(words.size()) - 1);
  return other && words.size() > 1 ? 1 + which : 0;
}

std::optional<Opening> draw_opening(Openings openings, Draws& draws) {
  std::vector<Opening> choices;
  for (int64_t noun = 0; noun < int64_t(opening_nouns().size()); ++noun)
    for (int64_t verb = 0; verb < int64_t(opening_verbs().size()); ++verb)
      if (is_held_out({noun, verb}) == (openings == Openings::held_out)) choices.push_back({noun, verb});
  const bool bare = draws.chance(0.4) && openings == Openings::training;
  const Opening opening = draws.one_of(choices);
  return bare ? std::nullopt : std::optional(opening);
}

Phrase phrase_of(const Object& object, const World& world, bool say_hue, Draws& draws) {
  Phrase phrase{.shape = object.shape};
  if (say_hue) phrase.hue = object.hue;
  if (draws.chance(0.3)) phrase.size = size_of(world, object.radius);
  phrase.shape_word = draw_word(words_of(object.shape), world.synonyms, draws);
  phrase.hue_word = draw_word(words_of(object.hue), world.synonyms, draws);
  if (phrase.size) phrase.size_word = draw_word(words_of(*phrase.size), world.synonyms, draws);
  if (!phrase.hue) phrase.hue_word = 0;
  return phrase;
}

bool starts_with_vowel(std::string_view word) {
  return std::string_view("aeiou").find(word[0]) != std::string_view::npos;
}

std::string_view chosen(const Words& words, int64_t which) {
  require<ValueError>(which >= 0 && which < int64_t(words.size()), "shapes: no such word of {} ({})", words[0], which);
  return words[size_t(which)];
}

std::string write_phrase(const Phrase& phrase) {
  std::string text;
  if (phrase.size) text += std::string(chosen(words_of(*phrase.size), phrase.size_word)) + ' ';
  if (phrase.hue) text += std::string(chosen(words_of(*phrase.hue), phrase.hue_word)) + ' ';
  const std::string_view shape = chosen(words_of(phrase.shape), phrase.shape_word);
  text += phrase.count > 1 ? plural(shape) : std::string(shape);
  require<ValueError>(phrase.count >= 0 && phrase.count <= kMostCounted, "shapes: a caption counts to {} ({})",
                      kMostCounted, phrase.count);
  if (phrase.count > 0) return std::string(chosen(words_of_count(phrase.count), phrase.count_word)) + ' ' + text;
  return (starts_with_vowel(text) ? "an " : "a ") + text;
}

std::string write_opening(const Statement& statement) {
  if (!statement.opening) return {};
  std::string text;
  if (statement.quality) text = std::string(chosen(words_of(*statement.quality), statement.quality_word)) + ' ';
  text += chosen(opening_nouns(), statement.opening->noun);
  text = (starts_with_vowel(text) ? "an " : "a ") + text + ' ';
  return text + std::string(chosen(opening_verbs(), statement.opening->verb)) + ' ';
}

void add_words(std::set<std::string>& all, const Words& list) {
  for (const std::string_view words : list)
    for (const std::string_view word : split_words(words)) all.emplace(word);
}

}  // namespace

const Words& opening_nouns() {
  static const Words nouns = {"picture", "image", "drawing"};
  return nouns;
}

const Words& opening_verbs() {
  static const Words verbs = {"of", "showing", "with"};
  return verbs;
}

const Words& join_words() {
  static const Words words = {"and", "with"};
  return words;
}

// Each of the words is in training captions, these combinations are not.
bool is_held_out(const Opening& opening) { return opening.verb > 0 && opening.noun != opening.verb - 1; }

std::string plural(std::string_view word) {
  const bool hissing = word.ends_with('s') || word.ends_with('x');
  return std::string(word) + (hissing ? "es" : "s");
}

Category category_of(const Statement& statement) {
  const std::vector<Phrase>& phrases = statement.phrases;
  if (statement.relation) return Category::position;
  if (std::any_of(phrases.begin(), phrases.end(), [](const Phrase& p) { return p.count > 0; }))
    return Category::counting;
  const bool colored = std::any_of(phrases.begin(), phrases.end(), [](const Phrase& p) { return p.hue.has_value(); });
  if (phrases.size() == 1) return colored ? Category::colors : Category::single_object;
  return colored ? Category::color_attribution : Category::two_objects;
}

bool has_held_out_opening(const Statement& statement) { return statement.opening && is_held_out(*statement.opening); }

bool has_held_out_pair(const Statement& statement, const World& world) {
  return std::any_of(statement.phrases.begin(), statement.phrases.end(),
                     [&](const Phrase& p) { return p.hue && world.is_held_out(*p.hue, p.shape); });
}

Statement describe(const Scene& scene, const World& world, Category category, Draws& draws, Openings openings) {
  Statement statement{.opening = draw_opening(openings, draws)};
  const bool say_quality = draws.chance(world.say_quality);
  const int64_t quality_word = draw_word(words_of(scene.quality()), world.synonyms, draws);
  if (say_quality && statement.opening) {
    statement.quality = scene.quality();
    statement.quality_word = quality_word;
  }
  bool say_hue = category == Category::colors || category == Category::color_attribution;
  if (category == Category::position || category == Category::counting) say_hue = draws.chance(world.extra_hues);
  const size_t phrases = category == Category::counting ? 1 : scene.objects.size();
  for (size_t i = 0; i < phrases; ++i) statement.phrases.push_back(phrase_of(scene.objects[i], world, say_hue, draws));
  if (category == Category::counting) {
    Phrase& phrase = statement.phrases[0];
    phrase.count = int64_t(scene.objects.size());
    phrase.count_word = draw_word(words_of_count(phrase.count), world.synonyms, draws);
    if (phrase.count > 1) phrase.size.reset(), phrase.size_word = 0;  // they may be of different sizes
  }
  if (category == Category::position) statement.relation = relation_of(scene.objects[0], scene.objects[1]);
  if (phrases == 2)
    statement.link_word =
        draw_word(statement.relation ? words_of(*statement.relation) : join_words(), world.synonyms, draws);
  return statement;
}

std::string write_caption(const Statement& statement) {
  const std::vector<Phrase>& phrases = statement.phrases;
  require<ValueError>(phrases.size() == 1 || phrases.size() == 2, "shapes: a caption has one or two phrases ({})",
                      phrases.size());
  require<ValueError>(statement.opening || !statement.quality,
                      "shapes: a caption needs an opening to say its quality ({})",
                      name_of(statement.quality.value_or(Quality::crisp)));
  std::string text = write_opening(statement) + write_phrase(phrases[0]);
  if (phrases.size() == 1) return text;
  const Words& links = statement.relation ? words_of(*statement.relation) : join_words();
  return text + ' ' + std::string(chosen(links, statement.link_word)) + ' ' + write_phrase(phrases[1]);
}

std::vector<std::string> caption_words() {
  std::set<std::string> all = {"a", "an"};
  for (int i = 0; i < kShapeKinds; ++i) {
    add_words(all, words_of(ShapeKind(i)));
    for (const std::string_view word : words_of(ShapeKind(i))) all.insert(plural(word));
  }
  for (int i = 0; i < kHues; ++i) add_words(all, words_of(Hue(i)));
  for (int i = 0; i < 2; ++i) add_words(all, words_of(Size(i))), add_words(all, words_of(Quality(i)));
  for (int i = 0; i < 4; ++i) add_words(all, words_of(Relation(i))), add_words(all, words_of_count(i + 1));
  for (const Words* words : {&opening_nouns(), &opening_verbs(), &join_words()}) add_words(all, *words);
  return {all.begin(), all.end()};
}

}  // namespace plumb::shapes
