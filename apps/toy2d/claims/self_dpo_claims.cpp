#include <cmath>
#include <numeric>

#include "apps/toy2d/claims/papers.h"
#include "apps/toy2d/study/parts.h"
#include "engine/format.h"

namespace plumb::toy2d {
namespace {

constexpr const char* kPaper = "Self-DPO";

double mean_of(const std::vector<double>& values, size_t begin, size_t end) {
  return std::accumulate(values.begin() + std::ptrdiff_t(begin), values.begin() + std::ptrdiff_t(end), 0.0) /
         double(end - begin);
}

/// Fig. 5: the curve rises and ends near 0.85.
std::optional<Claim> implicit_accuracy_rises(const Findings& f) {
  if (!f.study()) return std::nullopt;
  ClaimCase judged(kPaper, "implicit accuracy rises steadily to about 0.85 (Fig. 5)");
  for (const StudyResult& result : f.study()->results) {
    if (result.run.part != kTrajectoryPart || result.run.variant != "self_dpo") continue;
    std::vector<bool> holds;
    double first_sum = 0, last_sum = 0;
    for (const StudyOutcome& outcome : result.outcomes) {
      const std::vector<double>& curve = outcome.implicit_accuracy;
      if (curve.size() < 40) continue;
      const double first = mean_of(curve, 0, 20), last = mean_of(curve, curve.size() - 20, curve.size());
      first_sum += first;
      last_sum += last;
      holds.push_back(last > first && last >= 0.8 && last <= 0.9);
    }
    if (holds.empty()) continue;
    const double first = first_sum / double(holds.size()), last = last_sum / double(holds.size());
    judged.add(result.run.pairs + " pairs", judge_seeds(holds, last > first && last >= 0.8 && last <= 0.9),
               fmt::format("mean of the first 20 steps {:.2f}, of the last 20 of {} {:.2f}", first,
                           result.run.method.steps, last));
  }
  return judged.judge();
}

/// Table 4.
std::optional<Claim> without_denoising_loss(const Findings& f) {
  ClaimCase judged(kPaper, "without the denoising loss it does about as well (Table 4)");
  for (const std::string& source : f.settings().pair_sources)
    judged.lower(fmt::format("{} pairs, ddim25", source), "sw2",
                 {"without", f.of_study({kControlPart, kSelfDpoWithoutLoss, source}, "sw2")},
                 {"with", f.of_study({kControlPart, "self_dpo", source}, "sw2")}, 1.1);
  return judged.judge();
}

}  // namespace

std::vector<Claim> self_dpo_claims(const Findings& f) {
  std::vector<Claim> claims;
  append(claims, f.lower(kPaper, "Self-DPO does better than SFT (Table 2)", "self_dpo", "sft"));
  append(claims, f.lower(kPaper, "Self-DPO does better than Diffusion-DPO (Table 2)", "self_dpo", "diffusion_dpo"));
  append(claims,
         f.lower(kPaper, "Self-DPO does better than the model it starts from (Table 2)", "self_dpo", "reference"));
  ClaimCase harm(kPaper, "SFT on data no better than the model makes it worse (Table 2, SDXL)");
  for (const std::string& sampler : f.settings().samplers)
    harm.lower(fmt::format("reference pairs, {}", sampler), "sw2",
               {"reference", f.main("reference", "none", sampler, "sw2")},
               {"sft", f.main("sft", "reference", sampler, "sw2")});
  append(claims, harm.judge());
  append(claims, implicit_accuracy_rises(f));
  append(claims, without_denoising_loss(f));
  claims.push_back(beyond_the_toy(kPaper, "another image is a better loser than a blurred or shuffled one (Table 3)",
                                  "points cannot be blurred or cut into tiles"));
  return claims;
}

}  // namespace plumb::toy2d
