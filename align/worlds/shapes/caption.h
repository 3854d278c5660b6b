#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "align/worlds/shapes/draws.h"
#include "align/worlds/shapes/scene.h"

// The grammar of captions:
//   caption  = [opening] phrase [(join | relation) phrase]
//   opening  = ("a" | "an") [quality] ("picture" | "image" | "drawing") ("of" | "showing" | "with")
//   phrase   = (article | number) [size] [colour] shape
//   join     = "and" | "with"
//   relation = "left of" | "to the left of" | … | "above" | "over" | "below" | "under"
// with the words of names.h. Words are small letters with one blank between them.

namespace plumb::shapes {

/// Objects that a caption names together. `…_word` says which synonym is used.
struct Phrase {
  int64_t count = 0;  ///< 0: one, said by an article; otherwise a number that is said
  ShapeKind shape = ShapeKind::circle;
  std::optional<Hue> hue = {};
  std::optional<Size> size = {};
  int64_t count_word = 0, shape_word = 0, hue_word = 0, size_word = 0;

  int64_t objects() const { return count == 0 ? 1 : count; }
  bool operator==(const Phrase&) const = default;
};

/// "a picture of": which noun and verb; some combinations are never in training data.
struct Opening {
  int64_t noun = 0;  ///< picture, image, drawing
  int64_t verb = 0;  ///< of, showing, with
  bool operator==(const Opening&) const = default;
};

/// What a caption says, and in which words.
struct Statement {
  std::optional<Opening> opening = {};
  std::optional<Quality> quality = {};      ///< needs an opening
  std::vector<Phrase> phrases = {};         ///< one or two
  std::optional<Relation> relation = {};    ///< of the first phrase to the second
  int64_t quality_word = 0, link_word = 0;  ///< of the relation, or of the join

  bool operator==(const Statement&) const = default;
};

/// position when it has a relation; counting when a number is said; otherwise by objects and whether a colour is said.
Category category_of(const Statement& statement);

/// Whether the opening is one that training captions never have.
bool has_held_out_opening(const Statement& statement);

/// Whether it names a colour and a shape together that training pictures never hold.
bool has_held_out_pair(const Statement& statement, const World& world);

/// Which openings are drawn.
enum class Openings { training, held_out };

/// A true caption of the scene: names all its objects, and says what the category asks for; sizes, the quality and
/// colours beyond that by chance. The scene must be one of that category (draw_scene).
Statement describe(const Scene& scene, const World& world, Category category, Draws& draws,
                   Openings openings = Openings::training);

/// The text. Throws ValueError for a statement the grammar has no text for (no or more than two phrases, a count past
/// 4, a quality without an opening, an unknown word).
std::string write_caption(const Statement& statement);

/// The reverse. Empty for a text outside the grammar.
std::optional<Statement> parse_caption(std::string_view text);

/// Every word that a caption of any world can have, sorted.
std::vector<std::string> caption_words();

}  // namespace plumb::shapes
