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

/// Fig. 5, in three windows of a run that goes on past the early stop.
std::optional<Claim> implicit_accuracy_rises(const Findings& f) {
  if (!f.study()) return std::nullopt;
  constexpr size_t kStart = 20, kEarly = 100, kLate = 100;
  ClaimCase judged(kPaper, "implicit accuracy rises steadily to about 0.85 (Fig. 5)");
  for (const StudyResult& result : f.study()->results) {
    if (result.run.part != kTrajectoryPart || result.run.variant != "self_dpo") continue;
    std::vector<bool> rises, arrives;
    Spread first, second, last;
    const auto near = [](double accuracy) { return accuracy >= 0.825 && accuracy <= 0.875; };
    for (const StudyOutcome& outcome : result.outcomes) {
      const std::vector<double>& curve = outcome.implicit_accuracy;
      if (curve.size() < kEarly + kLate) continue;
      first.values.push_back(mean_of(curve, 0, kStart));
      second.values.push_back(mean_of(curve, kStart, kEarly));
      last.values.push_back(mean_of(curve, curve.size() - kLate, curve.size()));
      rises.push_back(first.values.back() < second.values.back() && second.values.back() < last.values.back());
      arrives.push_back(near(last.values.back()));
    }
    if (rises.empty()) continue;
    const std::string numbers =
        fmt::format("{:.2f} in steps 1 to {}, {:.2f} to {}, {:.2f} in the last {} of {}", first.mean(), kStart,
                    second.mean(), kEarly, last.mean(), kLate, result.outcomes.front().implicit_accuracy.size());
    judged.add(fmt::format("{} pairs, rises", result.run.pairs),
               judge_seeds(rises, first.mean() < second.mean() && second.mean() < last.mean()), numbers);
    judged.add(fmt::format("{} pairs, to about 0.85", result.run.pairs), judge_seeds(arrives, near(last.mean())),
               numbers);
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
