#include <cmath>

#include "apps/toy2d/claims/papers.h"
#include "apps/toy2d/study/parts.h"
#include "engine/format.h"

namespace plumb::toy2d {
namespace {

constexpr const char* kPaper = "DDSPO";

std::optional<Claim> reference_resembles_noise(const Findings& f) {
  ClaimCase judged(kPaper, "the reference closely resembles the noisy training set (Fig. 2b, 2c)");
  for (const std::string& sampler : f.settings().samplers) {
    const Spread* accuracy = f.main("reference", "none", sampler, "accuracy");
    const Spread* sw2 = f.main("reference", "none", sampler, "sw2");
    const Spread* noisy_accuracy = f.main("noisy", "none", "none", "accuracy");
    const Spread* noisy_sw2 = f.main("noisy", "none", "none", "sw2");
    if (!accuracy || !noisy_accuracy) continue;
    const double gap = std::abs(noisy_accuracy->mean() - accuracy->mean());
    const double ratio = sw2->mean() / noisy_sw2->mean();
    judged.add(
        sampler, gap <= 0.05 && ratio >= 0.75 && ratio <= 1.25 ? Verdict::seen : Verdict::not_seen,
        fmt::format("accuracy {:.3f} and {:.3f}, sw2 ratio {:.2f}", accuracy->mean(), noisy_accuracy->mean(), ratio));
  }
  return judged.judge();
}

std::optional<Claim> outward(const Findings& f, const std::string& method) {
  ClaimCase judged(kPaper, fmt::format("{}: centres move away from zero (Sec. 4.1)", method));
  for (const std::string& source : f.settings().pair_sources)
    for (const std::string& sampler : f.settings().samplers)
      judged.above(fmt::format("{} pairs, {}", source, sampler), "radial_shift",
                   {method, f.main(method, source, sampler, "radial_shift")}, 0);
  return judged.judge();
}

/// Fewest pairs against most.
std::optional<Claim> worse_with_few_pairs(const Findings& f) {
  ClaimCase judged(kPaper, "Diffusion-DPO's failure is more pronounced with few pairs (Sec. 4.1)");
  const int64_t few = kPairsPerClass.front(), many = kPairsPerClass.back();
  for (const std::string& source : f.settings().pair_sources)
    judged.lower(fmt::format("{} pairs, ddim25", source), "sw2",
                 {fmt::format("N = {}", many), f.of_study({kPairsPart, "diffusion_dpo", source, many}, "sw2")},
                 {fmt::format("N = {}", few), f.of_study({kPairsPart, "diffusion_dpo", source, few}, "sw2")});
  return judged.judge();
}

std::optional<Claim> better_at_every_count(const Findings& f) {
  ClaimCase judged(kPaper, "training-free does better than Diffusion-DPO with more pairs as well");
  for (const std::string& source : f.settings().pair_sources)
    for (int64_t count : kPairsPerClass)
      judged.lower(fmt::format("{} pairs, N = {}", source, count), "sw2",
                   {"ddspo_tf", f.of_study({kPairsPart, "ddspo_tf", source, count}, "sw2")},
                   {"diffusion_dpo", f.of_study({kPairsPart, "diffusion_dpo", source, count}, "sw2")});
  return judged.judge();
}

/// Early stopping is part of the finding.
std::optional<Claim> better_at_any_step(const Findings& f) {
  ClaimCase judged(kPaper, "training-free does better than Diffusion-DPO at the same number of steps");
  const std::string& source = f.settings().pair_sources.front();
  for (int64_t step : {25, 50, 100, 200, 500})
    judged.lower(fmt::format("{} pairs, {} steps", source, step), "sw2",
                 {"ddspo_tf", f.of_study({kTrajectoryPart, "ddspo_tf", source, 0, step}, "sw2")},
                 {"diffusion_dpo", f.of_study({kTrajectoryPart, "diffusion_dpo", source, 0, step}, "sw2")});
  return judged.judge();
}

/// What of TF-CPP is due to c-.
std::optional<Claim> needs_contrast(const Findings& f, const char* control, const char* claim) {
  ClaimCase judged("control", claim);
  for (const std::string& source : f.settings().pair_sources)
    judged.lower(fmt::format("{} pairs, ddim25", source), "sw2",
                 {"ddspo_tf", f.of_study({kControlPart, "ddspo_tf", source}, "sw2")},
                 {control, f.of_study({kControlPart, control, source}, "sw2")});
  return judged.judge();
}

}  // namespace

std::vector<Claim> ddspo_claims(const Findings& f) {
  std::vector<Claim> claims;
  append(claims, reference_resembles_noise(f));
  for (const char* method : {"ddspo_tf", "ddspo_oracle"}) {
    append(claims, f.lower(kPaper, fmt::format("{} separates modes better than Diffusion-DPO (Fig. 2d, 2e)", method),
                           method, "diffusion_dpo", "overlap"));
    append(claims, f.lower(kPaper, fmt::format("{} lies closer to the truth than Diffusion-DPO (Fig. 2)", method),
                           method, "diffusion_dpo"));
    append(claims, outward(f, method));
  }
  append(claims, better_at_any_step(f));
  append(claims, worse_with_few_pairs(f));
  append(claims, better_at_every_count(f));
  for (const char* method : {"ddspo_rand_positive", "ddspo_not_paired"})
    append(claims, f.lower(kPaper, fmt::format("{} does about as well as explicit negatives (Table 3b)", method),
                           method, "ddspo_tf", "sw2", 1.1));
  append(claims, f.lower(kPaper, "not-paired does better than rand-positive (Table 3b)", "ddspo_not_paired",
                         "ddspo_rand_positive"));
  append(claims, f.lower("control", "oracle policies do better than training-free ones", "ddspo_oracle", "ddspo_tf"));
  append(claims, f.lower("control", "data-driven policies do better than training-free ones", "ddspo_dd", "ddspo_tf"));
  append(claims, f.lower("control", "training-free is more than guiding the reference away from c-", "ddspo_tf",
                         "reference_guided"));
  append(claims, needs_contrast(f, "ddspo_tf, c- = c", "training-free needs a c- that differs from c"));
  append(claims, needs_contrast(f, "ddspo_tf, unrelated c-", "training-free needs a c- that is near c"));
  append(claims, needs_contrast(f, "ddspo_tf, branches swapped", "training-free needs its branches the right way"));
  claims.push_back(beyond_the_toy(kPaper,
                                  "DDSPO improves alignment and aesthetics of text-to-image models (Tables 1, 2)",
                                  "it has no text, no pictures and no reward models"));
  claims.push_back(beyond_the_toy(kPaper, "which prompt perturbation is best depends on the task (Table 3a)",
                                  "its only perturbation is a neighbouring class"));
  return claims;
}

}  // namespace plumb::toy2d
