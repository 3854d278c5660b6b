#include "apps/toy2d/claims/claims.h"

#include <algorithm>

#include "apps/toy2d/claims/papers.h"
#include "engine/format.h"

namespace plumb::toy2d {
namespace {

constexpr const char* kBar = "Plumb's bar";

class Bars {
 public:
  Bars(const std::vector<RowSummary>& rows, const Settings& settings)
      : rows_(rows), settings_(settings), sampler_(settings.samplers.front()) {}

  std::vector<Claim> run() {
    if (defaults()) bars();
    return std::move(claims_);
  }

 private:
  const RowSummary* row(const std::string& method, const std::string& pairs) const {
    return find_row(rows_, {method, pairs, sampler_});
  }

  /// The mean of a at most factor times b's, and a lower in four seeds of five.
  void lower(const std::string& claim, const RowSummary* a, const RowSummary* b, std::string_view metric,
             double factor) {
    if (!a || !b) return;
    const std::vector<double>&x = (*a)[metric].values, &y = (*b)[metric].values;
    size_t wins = 0;
    for (size_t i = 0; i < x.size(); ++i) wins += x[i] < y[i];
    const bool met = (*a)[metric].mean() <= factor * (*b)[metric].mean() && 5 * wins >= 4 * x.size();
    claims_.push_back({kBar, claim, met ? "seen" : "not seen",
                       fmt::format("{} {:.3f} and {:.3f}; lower in {} of {}", metric, (*a)[metric].mean(),
                                   (*b)[metric].mean(), wins, x.size())});
  }

  void within(const char* method, const char* source, std::string_view metric, double low, double high) {
    const RowSummary* found = row(method, source);
    if (!found) return;
    const double value = (*found)[metric].mean();
    claims_.push_back(
        {kBar,
         fmt::format("{}{}: {} in [{}, {}]", method,
                     source == std::string_view("none") ? "" : fmt::format(", {} pairs", source), metric, low, high),
         value >= low && value <= high ? "seen" : "not seen",
         fmt::format("{:.3f} ±{:.3f}", value, (*found)[metric].deviation())});
  }

  void bars() {
    within("reference", "none", "accuracy", 0.66, 0.72);
    within("reference", "none", "sw2", 1.7, 2.1);
    for (const char* method : {"ddspo_oracle", "ddspo_tf"}) {
      within(method, "clean", "accuracy", 0.94, 1);
      within(method, "clean", "sw2", 0, 0.55);
      within(method, "clean", "spread", 1.0, 1.35);
      within(method, "clean", "outliers", 0, 0.005);
    }
    within("diffusion_dpo", "clean", "sw2", 0.55, 0.95);
    lower("sw2 of the oracle at most 0.8 of Diffusion-DPO's (clean pairs)", row("ddspo_oracle", "clean"),
          row("diffusion_dpo", "clean"), "sw2", 0.8);
    within("ddspo_tf", "reference", "accuracy", 0.92, 1);
    within("ddspo_tf", "reference", "sw2", 0, 0.75);
    lower("sw2 of Diffusion-DPO at least 1.3 times the training-free one's (reference pairs)",
          row("ddspo_tf", "reference"), row("diffusion_dpo", "reference"), "sw2", 1 / 1.3);
  }

  bool defaults() const {
    const Settings usual;
    const Gaussians2dOptions &a = settings_.world, &b = usual.world;
    return settings_.set.empty() && sampler_ == usual.samplers.front() && a.classes == b.classes &&
           a.radius == b.radius && a.sigma == b.sigma && a.noise_fraction == b.noise_fraction &&
           a.inflation == b.inflation && settings_.pairs_per_class == usual.pairs_per_class &&
           settings_.reference_steps == usual.reference_steps;
  }

  const std::vector<RowSummary>& rows_;
  const Settings& settings_;
  std::string sampler_;
  std::vector<Claim> claims_;
};

/// The first settings of a claim, one a line; metrics.json has all.
std::string evidence_lines(std::string_view evidence) {
  constexpr size_t kShown = 8;
  std::string text;
  size_t count = 0;
  for (size_t begin = 0; begin <= evidence.size(); ++count) {
    const size_t end = std::min(evidence.find(kBetweenSettings, begin), evidence.size());
    if (count < kShown) text += fmt::format("{:<25} {}\n", "", evidence.substr(begin, end - begin));
    begin = end == evidence.size() ? end + 1 : end + kBetweenSettings.size();
  }
  return count <= kShown ? text
                         : text + fmt::format("{:<25} and {} more settings in metrics.json\n", "", count - kShown);
}

}  // namespace

std::vector<Claim> judge_claims(const std::vector<RowSummary>& rows, const Settings& settings,
                                const StudyReport* study) {
  const Findings findings(rows, settings, study);
  std::vector<Claim> claims;
  for (auto* judge_paper : {ddspo_claims, dspo_claims, rethinking_claims, self_dpo_claims})
    for (Claim& claim : judge_paper(findings)) claims.push_back(std::move(claim));
  for (Claim& bar : Bars(rows, settings).run()) claims.push_back(std::move(bar));
  return claims;
}

std::string format_claims(const std::vector<Claim>& claims) {
  std::string text;
  for (const Claim& claim : claims)
    text +=
        fmt::format("{:<12} {:<12} {}\n{}", claim.verdict, claim.paper, claim.claim, evidence_lines(claim.evidence));
  return text;
}

std::string_view caveats() {
  return "Read with care: the steps of every method were chosen by distance to the truth (the same rule for\n"
         "all, in the search as well), and past about 100 steps every logit loss runs away. In so short a run Adam "
         "makes beta nearly\n"
         "inert: the toy compares the direction of the learning signal, not the strength of the KL term.\n"
         "Training-free DDSPO is close to distilling guidance away from c-: the row reference_guided is that\n"
         "control. The early stop was chosen for DDIM with 25 steps; with DDPM the gaps are smaller. Accuracy\n"
         "alone says nothing: a collapsed model scores 1.\n";
}

}  // namespace plumb::toy2d
