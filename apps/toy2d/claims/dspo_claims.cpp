#include "apps/toy2d/claims/papers.h"
#include "apps/toy2d/study/parts.h"
#include "engine/format.h"

namespace plumb::toy2d {
namespace {

constexpr const char* kPaper = "DSPO";

/// Ours: at the published beta the method is SFT.
std::optional<Claim> more_than_sft(const Findings& f) {
  ClaimCase judged("control", "DSPO does better than SFT with DSPO's learning rate and steps");
  for (const std::string& source : f.settings().pair_sources) {
    const StudyRow* dspo = f.study() ? find_row(f.study()->rows, {kControlPart, "dspo", source}) : nullptr;
    if (!dspo) continue;
    const std::string same = sft_variant(dspo->method.learning_rate, dspo->method.steps);
    judged.lower(fmt::format("{} pairs, ddim25", source), "sw2", {"dspo", &(*dspo)["sw2"]},
                 {"sft", f.of_study({kControlPart, same, source}, "sw2")});
  }
  return judged.judge();
}

/// Each of the twenty settings, so that a lucky one does not decide.
std::optional<Claim> apart(const Findings& f) {
  ClaimCase judged("control", "DSPO with temperature and lambda apart does better than at its default");
  const std::string& source = f.settings().pair_sources.front();
  const Spread* usual = f.of_study({kDspoPart, "dspo", source}, "sw2");
  for (double temperature : kDspoTemperatures)
    for (double lambda : kDspoLambdas) {
      const std::string variant = dspo_variant(temperature, lambda);
      judged.lower(fmt::format("temperature {:g}, lambda {:g}", temperature, lambda), "sw2",
                   {"apart", f.of_study({kDspoPart, variant, source}, "sw2")}, {"default", usual});
    }
  return judged.judge();
}

}  // namespace

std::vector<Claim> dspo_claims(const Findings& f) {
  std::vector<Claim> claims;
  for (const char* other : {"sft", "diffusion_dpo", "diffusion_kto", "mapo"})
    append(claims, f.lower(kPaper, fmt::format("DSPO does better than {} (Tables 1, 2, 4)", other), "dspo", other));
  append(claims, f.lower(kPaper, "DSPO does better than DSPO-E (Table 5)", "dspo", "dspo_e"));
  append(claims, f.lower(kPaper, "DSPO does better than DSPO-ref (Table 6)", "dspo", "dspo_ref"));
  append(claims, more_than_sft(f));
  append(claims, apart(f));
  claims.push_back(beyond_the_toy(kPaper, "DSPO costs what Diffusion-DPO costs (Table 3)",
                                  "time is measured by the benchmarks, not here"));
  claims.push_back(beyond_the_toy(kPaper, "removing duplicate prompts does not help; LoRA comes close (Table 6)",
                                  "it has no prompts to repeat, and its network is smaller than an adapter"));
  return claims;
}

}  // namespace plumb::toy2d
