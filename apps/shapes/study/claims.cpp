#include "apps/shapes/study/claims.h"

namespace plumb::study {
namespace {

constexpr double kClose = -0.02;  // two hundredths of the pictures: what "comparable" may lose

std::vector<ScoreFile> tests_at(const RowResult& row, std::optional<double> guidance) {
  std::vector<ScoreFile> files;
  for (const Trained& model : row.models)
    if (const auto found = model.tests.find(guidance.value_or(row.own_best)); found != model.tests.end())
      files.push_back(found->second);
  return files;
}

}  // namespace

const std::vector<Claim>& all_claims() {
  static const std::vector<Claim> claims = {
      {"DDSPO 1a", "DDSPO aligns better than the reference", "ddspo", "reference"},
      {"DDSPO 1a", "Diffusion-DPO aligns better than the reference", "diffusion_dpo", "reference"},
      {"DDSPO 1a", "DDSPO aligns better than Diffusion-DPO on the same pairs", "ddspo", "diffusion_dpo"},
      {"DDSPO 3a", "random removal aligns better than rewrites", "ddspo", "ddspo_rewrites"},
      {"DDSPO 3a", "random removal aligns better than quality rewrites", "ddspo", "ddspo_quality"},
      {"DDSPO 3b", "rand-positive comes close", "ddspo_rand_positive", "ddspo", kClose},
      {"DDSPO 3b", "not-paired comes close", "ddspo_not_paired", "ddspo", kClose},
      {"DDSPO 3b", "not-paired aligns better than rand-positive", "ddspo_not_paired", "ddspo_rand_positive"},
      {"control", "DDSPO aligns better than SFT on its winners", "ddspo", "sft"},
      {"control", "DDSPO aligns better than the reference trained on", "ddspo", "continued"},
      {"control", "DDSPO aligns better than guiding the reference away from c-", "ddspo", "reference_negative"},
      {"control", "an empty c- teaches less", "ddspo", "control_empty"},
      {"control", "an unrelated c- teaches less", "ddspo", "control_unrelated"},
      {"control", "c- equal to c teaches less", "ddspo", "control_equal"},
      {"control", "c and c- swapped teach less", "ddspo", "control_swapped"},
      {"DSPO 1", "DSPO aligns better than SFT", "dspo", "sft_labelled"},
      {"DSPO 1", "DSPO aligns better than Diffusion-DPO", "dspo", "diffusion_dpo_labelled"},
      {"DSPO 1", "DSPO aligns better than Diffusion-KTO", "dspo", "diffusion_kto"},
      {"DSPO 1", "DSPO aligns better than MaPO", "dspo", "mapo"},
      {"control", "temperature and lambda apart align better", "dspo_apart", "dspo"},
      {"DSPO 5", "DSPO aligns better than DSPO-E", "dspo", "dspo_e"},
      {"DSPO 6", "DSPO aligns better than DSPO-ref", "dspo", "dspo_ref"},
      {"DSPO 6", "DSPO aligns better than DSPO-nodup", "dspo", "dspo_nodup"},
      {"DSPO 6", "DSPO-LoRA comes close", "dspo_lora", "dspo", kClose},
      {"Rethinking 3", "reference updates align better than Diffusion-DPO", "rethinking_update", "diffusion_dpo"},
      {"Rethinking 4", "timestep-aware sampling adds to them", "rethinking", "rethinking_update"},
      {"Rethinking 4", "the whole method aligns better than Diffusion-DPO", "rethinking", "diffusion_dpo"},
      {"Self-DPO 3", "another picture is a better loser than a blurred one", "self_dpo_random_image", "self_dpo_blur"},
      {"Self-DPO 3", "another picture is a better loser than a shuffled one", "self_dpo_random_image",
       "self_dpo_random_grid"},
      {"Self-DPO 4", "without the denoising loss it comes close", "self_dpo_random_image_no_mse",
       "self_dpo_random_image", kClose},
      {"Self-DPO 4", "without the denoising loss it aligns better than Diffusion-DPO", "self_dpo_random_image_no_mse",
       "diffusion_dpo"},
  };
  return claims;
}

std::string_view word_of(Verdict verdict) {
  if (verdict == Verdict::held) return "held";
  return verdict == Verdict::did_not_hold ? "did not hold" : "undetermined";
}

Interval widest(const ScoreMeans& means, size_t column) {
  return (means.runs ? *means.runs : means.prompts).all[column];
}

std::optional<ScoreComparison> compare_rows(const Results& results, const std::string& a, const std::string& b,
                                            std::optional<double> guidance, const RandomKey& key) {
  const RowResult *ours = find_row(results, a), *theirs = find_row(results, b);
  if (!ours || !theirs) return std::nullopt;
  std::vector<ScoreFile> x = tests_at(*ours, guidance), y = tests_at(*theirs, guidance);
  if (x.empty() || y.empty()) return std::nullopt;
  // Where health rules ended some runs, as many of both are compared.
  if (y.size() > 1 && x.size() > y.size()) x.resize(y.size());
  if (y.size() > x.size()) y.resize(x.size());
  return compare_scores(x, y, /*common_only=*/false, {}, key);
}

std::optional<Interval> difference_of(const Results& results, const std::string& a, const std::string& b,
                                      std::optional<double> guidance, const RandomKey& key) {
  const auto found = compare_rows(results, a, b, guidance, key);
  return found ? std::optional(widest(found->means, 2 * kCorrect)) : std::nullopt;
}

std::vector<Judged> judge_claims(const Results& results, const RandomKey& key) {
  std::vector<Judged> judged;
  for (const Claim& claim : all_claims()) {
    const auto at = [&](std::optional<double> guidance) {
      return difference_of(results, claim.a, claim.b, guidance, key);
    };
    const auto difference = at(results.reference_best);
    if (!difference) continue;
    Verdict verdict = Verdict::undetermined;
    if (difference->low > claim.margin) verdict = Verdict::held;
    if (difference->high < claim.margin) verdict = Verdict::did_not_hold;
    judged.push_back({claim, verdict, *difference, at(1.0), at(std::nullopt)});
  }
  return judged;
}

}  // namespace plumb::study
