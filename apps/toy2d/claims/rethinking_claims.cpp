#include "apps/toy2d/claims/papers.h"
#include "apps/toy2d/study/parts.h"
#include "engine/format.h"

namespace plumb::toy2d {
namespace {

constexpr const char* kPaper = "Rethinking";
constexpr const char* kFull = "gamma 0.9, scale";

/// Variant a against variant b of the long runs, on both pair sources.
std::optional<Claim> ablation(const Findings& f, const std::string& claim, const std::string& a, const std::string& b,
                              double factor = 1) {
  ClaimCase judged(kPaper, claim);
  for (const std::string& source : f.settings().pair_sources)
    for (int64_t steps : kAblationSteps)
      judged.lower(fmt::format("{} pairs, {} steps", source, steps), "sw2",
                   {a, f.of_study({kAblationPart, a, source, 0, steps}, "sw2")},
                   {b, f.of_study({kAblationPart, b, source, 0, steps}, "sw2")}, factor);
  return judged.judge();
}

/// The full method in the long runs, and in the table, whose 50 steps see one reference update.
std::optional<Claim> better_than(const Findings& f, const std::string& other) {
  ClaimCase judged(kPaper, fmt::format("the whole method does better than {} (Table 1)", other));
  for (const std::string& source : f.settings().pair_sources) {
    for (const std::string& sampler : f.settings().samplers)
      judged.lower(fmt::format("{} pairs, {}", source, sampler), "sw2",
                   {"rethinking", f.main("rethinking", source, sampler, "sw2")},
                   {other, f.main(other, source, sampler, "sw2")});
    judged.lower(fmt::format("{} pairs, tuned", source), "sw2",
                 {"rethinking", f.of_study({kTunedPart, "rethinking", source}, "sw2")},
                 {other, f.of_study({kTunedPart, other, source}, "sw2")});
    if (other != "diffusion_dpo") continue;
    for (int64_t steps : kAblationSteps)
      judged.lower(fmt::format("{} pairs, {} steps", source, steps), "sw2",
                   {kFull, f.of_study({kAblationPart, kFull, source, 0, steps}, "sw2")},
                   {other, f.of_study({kAblationPart, kAblationBase, source, 0, steps}, "sw2")});
  }
  return judged.judge();
}

/// Fig. 4: every tau, with the bound.
std::optional<Claim> bound_helps(const Findings& f) {
  ClaimCase judged(kPaper, "with the bound, reference updates beat Diffusion-DPO for any tau (Fig. 4)");
  for (const std::string& source : f.settings().pair_sources)
    for (int64_t tau : kAblationTaus)
      for (int64_t steps : kAblationSteps)
        judged.lower(fmt::format("{} pairs, tau {}, {} steps", source, tau, steps), "sw2",
                     {"bounded", f.of_study({kAblationPart, tau_variant(tau, true), source, 0, steps}, "sw2")},
                     {"diffusion_dpo", f.of_study({kAblationPart, kAblationBase, source, 0, steps}, "sw2")});
  return judged.judge();
}

std::optional<Claim> unbounded_harms(const Findings& f) {
  ClaimCase judged(kPaper, "without the bound, frequent updates end worse than Diffusion-DPO (Fig. 4)");
  for (const std::string& source : f.settings().pair_sources)
    for (int64_t tau : kAblationTaus)
      for (int64_t steps : kAblationSteps)
        judged.lower(fmt::format("{} pairs, tau {}, {} steps", source, tau, steps), "sw2",
                     {"diffusion_dpo", f.of_study({kAblationPart, kAblationBase, source, 0, steps}, "sw2")},
                     {"unbounded", f.of_study({kAblationPart, tau_variant(tau, false), source, 0, steps}, "sw2")});
  return judged.judge();
}

/// Fig. 2b, 2c: the two noisiest bins against the mean of the others.
std::optional<Claim> fainter_when_noisy(const Findings& f) {
  if (!f.study()) return std::nullopt;
  ClaimCase judged(kPaper, "rewards are fainter and less often right at the noisiest timesteps (Fig. 2b, 2c)");
  const auto ends = [](const std::vector<TimestepBin>& bins, std::optional<double> TimestepBin::*value) {
    double noisy = 0, rest = 0;
    for (size_t bin = 0; bin < bins.size(); ++bin)
      (bin + 2 >= bins.size() ? noisy : rest) += (bins[bin].*value).value_or(0);
    return std::pair(noisy / 2, rest / double(bins.size() - 2));
  };
  for (const StudyResult& result : f.study()->results) {
    const std::string& name = result.run.variant;
    if (result.run.part != kTimestepPart || (name != kExplorer && name != "diffusion_dpo")) continue;
    std::vector<bool> scale_falls, accuracy_falls;
    Spread scale_ratio, accuracy_gap;
    for (const StudyOutcome& outcome : result.outcomes) {
      const std::vector<TimestepBin>& bins = outcome.by_timestep.rewards;
      if (bins.size() < 5) continue;
      const auto [noisy_scale, scale] = ends(bins, &TimestepBin::reward_scale);
      const auto [noisy_accuracy, accuracy] = ends(bins, &TimestepBin::accuracy);
      scale_falls.push_back(noisy_scale < scale);
      accuracy_falls.push_back(noisy_accuracy < accuracy);
      scale_ratio.values.push_back(noisy_scale / scale);
      accuracy_gap.values.push_back(noisy_accuracy - accuracy);
    }
    if (scale_falls.empty()) continue;
    judged.add(name + ", scale", judge_seeds(scale_falls, scale_ratio.mean() < 1),
               fmt::format("noisiest fifth over the rest {:.2f} ±{:.2f}", scale_ratio.mean(), scale_ratio.deviation()));
    judged.add(
        name + ", accuracy", judge_seeds(accuracy_falls, accuracy_gap.mean() < 0),
        fmt::format("noisiest fifth minus the rest {:+.3f} ±{:.3f}", accuracy_gap.mean(), accuracy_gap.deviation()));
  }
  return judged.judge();
}

}  // namespace

std::vector<Claim> rethinking_claims(const Findings& f) {
  const std::string exploration = tau_variant(32, true);
  std::vector<Claim> claims;
  for (const char* other : {"diffusion_dpo", "sft", "dspo", "diffusion_kto", "mapo"})
    append(claims, better_than(f, other));
  append(claims, ablation(f, "exploration alone does better than Diffusion-DPO (Table 4)", exploration, kAblationBase));
  append(claims, ablation(f, "time alone does not do better than Diffusion-DPO (Table 4)", kAblationBase, "time only"));
  append(claims, ablation(f, "time added to exploration does better than exploration (Table 4)", kFull, exploration));
  append(claims, ablation(f, "the reward scale helps at gamma 0.9 (Table 4)", kFull, "gamma 0.9"));
  append(claims, ablation(f, "the reward scale helps at gamma 0.8 (Table 4)", "gamma 0.8, scale", "gamma 0.8"));
  append(claims,
         ablation(f, "five times the learning rate is worse than Diffusion-DPO (Table 3)", kAblationBase, "lr x 5"));
  append(claims,
         ablation(f, "a fifth of beta does not do better than Diffusion-DPO (Table 3)", kAblationBase, "beta / 5"));
  append(claims, ablation(f, "re-initialising does worse than freezing (Table 3)", kFull, "gamma 0.9, scale, re-init"));
  for (int64_t tau : kAblationTaus)
    append(claims, ablation(f, fmt::format("at tau {} the bound does better than none (Fig. 4)", tau),
                            tau_variant(tau, true), tau_variant(tau, false)));
  append(claims, bound_helps(f));
  append(claims, unbounded_harms(f));
  append(claims, fainter_when_noisy(f));
  return claims;
}

}  // namespace plumb::toy2d
