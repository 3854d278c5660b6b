#pragma once

#include <string>
#include <vector>

#include "align/eval/score_file.h"
#include "apps/shapes/study/recipe.h"
#include "apps/shapes/study/stages.h"

namespace plumb::study {

/// What is read of every picture, in this order, from the files that `plumb shapes score` writes.
enum Field : size_t { kCorrect, kPartial, kUnreadable };

/// Which prompts are drawn, and how often.
struct Sitting {
  std::string name;     ///< validation, test
  std::string prompts;  ///< file
  int64_t images = 1;   ///< a prompt
  int64_t seed = 0;     ///< of the first picture: every model begins with the same noise
};

/// Who is measured.
struct Sitter {
  std::string name;   ///< of its stages: a row and a seed, say
  std::string model;  ///< a pipeline's folder
};

/// Draws and scores pictures of one model at one guidance: stage pictures/NAME/SITTING-gGUIDANCE.
ScoreFile measure(Stages& stages, const Recipe& recipe, const Sitter& sitter, const Sitting& sitting, double guidance);

/// Where measure() draws a model's pictures.
std::string pictures_stage(const Sitter& sitter, const Sitting& sitting, double guidance);

/// A field's mean over all pictures.
double mean_of(const ScoreFile& scores, Field field);

}  // namespace plumb::study
