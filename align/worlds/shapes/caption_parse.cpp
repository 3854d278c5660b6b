#include <algorithm>

#include "align/perturb/random_removal.h"
#include "align/worlds/shapes/caption.h"
#include "align/worlds/shapes/grammar.h"

namespace plumb::shapes {
namespace {

/// Reads the grammar of caption.h from left to right; a function that finds nothing leaves the place as it was.
class Parser {
 public:
  explicit Parser(std::string_view text) : words_(split_words(text)) {}

  std::optional<Statement> caption() {
    Statement statement;
    opening(statement);
    if (!phrase(statement)) return {};
    if (at_ == words_.size()) return statement;
    if (!link(statement) || !phrase(statement) || at_ != words_.size()) return {};
    return statement;
  }

 private:
  /// One of the alternatives, which may be of several words; the longest that fits.
  std::optional<int64_t> any_of(const Words& alternatives) {
    std::optional<int64_t> found;
    size_t longest = 0;
    for (size_t i = 0; i < alternatives.size(); ++i) {
      const std::vector<std::string_view> wanted = split_words(alternatives[i]);
      const bool fits = at_ + wanted.size() <= words_.size() &&
                        std::equal(wanted.begin(), wanted.end(), words_.begin() + std::ptrdiff_t(at_));
      if (fits && wanted.size() > longest) found = int64_t(i), longest = wanted.size();
    }
    at_ += longest;
    return found;
  }

  /// A value of an enum of `count` values, and which of its words.
  template <class E>
  std::optional<E> value(int count, int64_t& which) {
    for (int i = 0; i < count; ++i)
      if (const auto found = any_of(words_of(E(i)))) {
        which = *found;
        return E(i);
      }
    return {};
  }

  void opening(Statement& statement) {
    const size_t begin = at_;
    Opening opening;
    const auto article = any_of({"a", "an"});
    statement.quality = value<Quality>(2, statement.quality_word);
    const auto noun = any_of(opening_nouns());
    const auto verb = noun ? any_of(opening_verbs()) : std::nullopt;
    if (article && verb) {
      statement.opening = Opening{*noun, *verb};
      return;
    }
    statement = {};
    at_ = begin;
  }

  bool quantity(Phrase& phrase) {
    for (int64_t count = 1; count <= kMostCounted; ++count)  // before the articles: "a pair of"
      if (const auto found = any_of(words_of_count(count))) {
        phrase.count = count;
        phrase.count_word = *found;
        return true;
      }
    return any_of({"a", "an"}).has_value();
  }

  bool shape(Phrase& phrase) {
    for (int kind = 0; kind < kShapeKinds && at_ < words_.size(); ++kind) {
      const Words& names = words_of(ShapeKind(kind));
      for (size_t i = 0; i < names.size(); ++i) {
        if (words_[at_] != (phrase.count > 1 ? plural(names[i]) : std::string(names[i]))) continue;
        ++at_;
        phrase.shape = ShapeKind(kind);
        phrase.shape_word = int64_t(i);
        return true;
      }
    }
    return false;
  }

  bool phrase(Statement& statement) {
    Phrase phrase;
    if (!quantity(phrase)) return false;
    phrase.size = value<Size>(2, phrase.size_word);
    phrase.hue = value<Hue>(kHues, phrase.hue_word);
    if (!shape(phrase)) return false;
    statement.phrases.push_back(phrase);
    return true;
  }

  bool link(Statement& statement) {
    statement.relation = value<Relation>(4, statement.link_word);
    if (statement.relation) return true;
    const auto join = any_of(join_words());
    statement.link_word = join.value_or(0);
    return join.has_value();
  }

  std::vector<std::string_view> words_;
  size_t at_ = 0;
};

}  // namespace

std::optional<Statement> parse_caption(std::string_view text) { return Parser(text).caption(); }

}  // namespace plumb::shapes
