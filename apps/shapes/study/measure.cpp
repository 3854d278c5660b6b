#include "apps/shapes/study/measure.h"

#include "engine/format.h"

namespace plumb::study {

std::string pictures_stage(const Sitter& sitter, const Sitting& sitting, double guidance) {
  return fmt::format("pictures/{}/{}-g{}", sitter.name, sitting.name, guidance);
}

ScoreFile measure(Stages& stages, const Recipe& recipe, const Sitter& sitter, const Sitting& sitting, double guidance) {
  const std::string name = pictures_stage(sitter, sitting, guidance);
  stages.run(name, "sample",
             {"--model", sitter.model, "--prompts", sitting.prompts, "--num_images", fmt::format("{}", sitting.images),
              "--guidance_scale", fmt::format("{}", guidance), "--sampler", recipe.sampler, "--num_inference_steps",
              fmt::format("{}", recipe.inference_steps), "--batch_size", fmt::format("{}", recipe.sample_batch),
              "--seed", fmt::format("{}", sitting.seed)});
  const std::string folder = stages.path(name);
  stages.run_beside(name + "/scores", "shapes", {"score", "--images", folder, "--world", recipe.world});
  return read_scores(folder + "/scores.jsonl", {"correct", "partial", "unreadable"});
}

double mean_of(const ScoreFile& scores, Field field) {
  double sum = 0;
  for (const ScoredPicture& picture : scores.pictures) sum += picture.values[field];
  return sum / double(scores.pictures.size());
}

}  // namespace plumb::study
