#include "align/worlds/shapes/rewrite.h"

#include <algorithm>

#include "align/worlds/shapes/caption_noise.h"
#include "align/worlds/shapes/grammar.h"
#include "engine/require.h"

namespace plumb::shapes {
namespace {

Statement parsed(std::string_view prompt) {
  std::optional<Statement> statement = parse_caption(prompt);
  require<ValueError>(statement.has_value(), "shapes rewrite: the prompt must be of the grammar of captions ({})",
                      prompt);
  return *std::move(statement);
}

}  // namespace

std::vector<std::string> swap_rewrites(std::string_view prompt, const World& world, const RandomKey& key,
                                       int64_t most) {
  constexpr int64_t kDrawsPerVariant = 10;
  const Statement statement = parsed(prompt);
  Draws draws(key.fork("swap").fork(prompt));
  std::vector<std::string> variants;
  for (int64_t i = 0; i < kDrawsPerVariant * most && int64_t(variants.size()) < most; ++i) {
    Statement other = statement;
    swap_attribute(other, world, draws);
    std::string text = write_caption(other);
    if (text != prompt && std::find(variants.begin(), variants.end(), text) == variants.end())
      variants.push_back(std::move(text));
  }
  return variants;
}

std::vector<std::string> quality_rewrites(std::string_view prompt, int64_t most) {
  const Statement statement = parsed(prompt);
  std::vector<std::string> variants;
  if (statement.quality == Quality::blurry) return variants;
  std::vector<Opening> openings;
  if (statement.opening)
    openings.push_back(*statement.opening);
  else
    for (int64_t noun = 0; noun < int64_t(opening_nouns().size()); ++noun) openings.push_back({.noun = noun});
  for (const Opening& opening : openings)
    for (int64_t word = 0; word < int64_t(words_of(Quality::blurry).size()); ++word) {
      Statement worse = statement;
      worse.opening = opening;
      worse.quality = Quality::blurry;
      worse.quality_word = word;
      if (int64_t(variants.size()) < most) variants.push_back(write_caption(worse));
    }
  return variants;
}

}  // namespace plumb::shapes
