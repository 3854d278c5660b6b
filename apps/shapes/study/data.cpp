#include "apps/shapes/study/data.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "apps/shapes/study/control_pairs.h"
#include "engine/format.h"

namespace plumb::study {
namespace {

// Seeds of what is drawn, apart from --seed itself: none may be another's.
constexpr int64_t kTrainPictures = 1, kCleanPictures = 2, kPairPrompts = 3, kValidationPrompts = 4, kTestPrompts = 5;
constexpr int64_t kPairNoise = 6, kLabelledNoise = 7, kLabels = 8;
constexpr int64_t kApart = 1000;
/// Low enough for the reference and the ceiling to differ, which pairs in a preference need.
constexpr const char* kLabelledGuidance = "2";

std::string seed_of(const Recipe& recipe, int64_t what) {
  return fmt::format("{}", recipe.global.seed * kApart + what);
}

std::string make_pictures(Stages& stages, const Recipe& recipe, const std::string& name, int64_t seed, bool clean) {
  Arguments words = {"make",
                     "--world",
                     recipe.world,
                     "--num_pictures",
                     fmt::format("{}", recipe.train_pictures),
                     "--seed",
                     seed_of(recipe, seed)};
  if (clean) words.push_back("--clean_captions");
  stages.run("data/" + name, "shapes", words);
  return stages.path("data/" + name);
}

/// Trained, or made before.
std::string train(Stages& stages, const Recipe& recipe, const std::string& name, const Arguments& words) {
  Arguments all = {"--config", recipe.train_config, "--seed", fmt::format("{}", recipe.global.seed)};
  all.insert(all.end(), words.begin(), words.end());
  stages.run(name, "train", all, Arguments{"--resume_from_checkpoint", "latest"});
  return stages.path(name) + "/model";
}

/// More of what made the reference: as many steps and samples a step as the rows, and their middle rate.
std::string train_on(Stages& stages, const Recipe& recipe, const std::string& reference, const std::string& pictures) {
  std::vector<double> rates = recipe.learning_rates;
  std::sort(rates.begin(), rates.end());
  return train(stages, recipe, "continued",
               {"--train_data_dir",
                pictures,
                "--pretrained_model_name_or_path",
                reference,
                "--text_init=",
                "--unet_config=",
                "--train_text_encoder=false",
                "--use_ema=false",
                "--validation_steps",
                "0",
                "--max_train_steps",
                fmt::format("{}", *std::max_element(recipe.steps.begin(), recipe.steps.end())),
                "--train_batch_size",
                fmt::format("{}", recipe.batch),
                "--learning_rate",
                fmt::format("{}", rates[rates.size() / 2]),
                "--lr_scheduler",
                "constant",
                "--lr_warmup_steps",
                "0"});
}

void make_perturbed(Stages& stages, const Recipe& recipe, const Models& models, const Prompts& prompts,
                    const std::string& kind) {
  std::string perturbation = kind;
  if (kind != "removal") {
    const std::string rewrites = stages.path("prompts/rewrites_" + kind + ".jsonl");
    stages.run_beside(
        "prompts/rewrites_" + kind, "shapes",
        {"rewrites", "--prompts", prompts.pairs, "--kind", kind, "--world", recipe.world, "--out", rewrites});
    perturbation = "file:" + rewrites;
  }
  stages.run("pairs/" + kind, "pairs",
             {"--model", models.reference, "--prompts", prompts.pairs, "--perturbation", perturbation, "--num_pairs",
              fmt::format("{}", recipe.pairs), "--guidance_scale", fmt::format("{}", recipe.pair_guidance), "--sampler",
              recipe.sampler, "--num_inference_steps", fmt::format("{}", recipe.pair_inference_steps), "--batch_size",
              fmt::format("{}", recipe.sample_batch), "--seed", seed_of(recipe, kPairNoise)},
             Arguments{});
}

/// Two pictures a prompt of each model, scored, then ordered.
void make_labelled(Stages& stages, const Recipe& recipe, const Models& models, const Prompts& prompts) {
  Arguments preferences = {"preferences"};
  for (const auto& [name, model] : {std::pair{"reference", models.reference}, {"clean", models.clean}}) {
    const std::string folder = fmt::format("pictures/labelled/{}", name);
    stages.run(
        folder, "sample",
        {"--model", model, "--prompts", prompts.pairs, "--num_images", "2", "--guidance_scale", kLabelledGuidance,
         "--sampler", recipe.sampler, "--num_inference_steps", fmt::format("{}", recipe.inference_steps),
         "--batch_size", fmt::format("{}", recipe.sample_batch), "--seed", seed_of(recipe, kLabelledNoise)});
    stages.run_beside(folder + "/scores", "shapes",
                      {"score", "--images", stages.path(folder), "--world", recipe.world});
    preferences.insert(preferences.end(), {"--images", stages.path(folder)});
  }
  preferences.insert(preferences.end(), {"--world", recipe.world, "--seed", seed_of(recipe, kLabels)});
  stages.run("pairs/labelled", "shapes", preferences);
}

std::string prompt_file(Stages& stages, const Recipe& recipe, const std::string& name, const Arguments& words) {
  const std::string path = stages.path("prompts/" + name + ".jsonl");
  std::filesystem::create_directories(stages.path("prompts"));
  Arguments all = {"prompts", "--world", recipe.world};
  all.insert(all.end(), words.begin(), words.end());
  all.insert(all.end(), {"--out", path});
  stages.run_beside("prompts/" + name, "shapes", all);
  return path;
}

}  // namespace

Models make_models(Stages& stages, const Recipe& recipe) {
  Models models{.reference = recipe.reference, .continued = recipe.continued, .clean = recipe.clean};
  if (models.reference.empty() || models.continued.empty()) {
    const std::string noisy = make_pictures(stages, recipe, "noisy", kTrainPictures, /*clean=*/false);
    if (models.reference.empty()) models.reference = train(stages, recipe, "reference", {"--train_data_dir", noisy});
    if (models.continued.empty()) models.continued = train_on(stages, recipe, models.reference, noisy);
  }
  if (models.clean.empty())
    models.clean = train(stages, recipe, "clean",
                         {"--train_data_dir", make_pictures(stages, recipe, "clean", kCleanPictures, /*clean=*/true)});
  for (std::string* model : {&models.continued, &models.clean})
    if (*model == "none") model->clear();
  return models;
}

Prompts make_prompts(Stages& stages, const Recipe& recipe) {
  const auto count = [](int64_t n) { return fmt::format("{}", n); };
  return {.pairs = prompt_file(stages, recipe, "pairs",
                               {"--count", count(recipe.pairs), "--held_out", "without", "--duplicates", "0.3",
                                "--seed", seed_of(recipe, kPairPrompts)}),
          .validation = prompt_file(stages, recipe, "validation",
                                    {"--count", count(recipe.validation_prompts), "--held_out", "without", "--seed",
                                     seed_of(recipe, kValidationPrompts)}),
          .test = prompt_file(
              stages, recipe, "test",
              {"--count", count(recipe.prompts), "--held_out", "with", "--seed", seed_of(recipe, kTestPrompts)})};
}

void make_pairs(Stages& stages, const Recipe& recipe, const Models& models, const Prompts& prompts,
                const std::vector<Row>& rows) {
  std::set<std::string> made;
  for (const Row& row : rows) {
    const size_t slash = row.data.find('/');
    const std::string kind = row.data.substr(0, slash);
    if (made.insert(kind).second) {
      if (kind == "labelled")
        make_labelled(stages, recipe, models, prompts);
      else
        make_perturbed(stages, recipe, models, prompts, kind);
    }
    if (slash != std::string::npos && made.insert(row.data).second)
      write_control_pairs(stages.path("pairs/" + kind), pairs_path(stages, row), row.data.substr(slash + 1));
  }
}

std::string pairs_path(const Stages& stages, const Row& row) {
  // Beside the set whose pictures it has, not inside it.
  std::string name = row.data;
  std::replace(name.begin(), name.end(), '/', '_');
  return stages.path("pairs/" + name);
}

}  // namespace plumb::study
