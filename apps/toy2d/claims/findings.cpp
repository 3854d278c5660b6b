#include "apps/toy2d/claims/papers.h"
#include "apps/toy2d/study/parts.h"
#include "engine/format.h"

namespace plumb::toy2d {

const Spread* Findings::main(const std::string& method, const std::string& pairs, const std::string& sampler,
                             std::string_view metric) const {
  const RowSummary* row = find_row(rows_, {method, pairs, sampler});
  if (!row) row = find_row(rows_, {method, "none", sampler});
  if (!row) row = find_row(rows_, {method, "none", "none"});
  return row ? &(*row)[metric] : nullptr;
}

const Spread* Findings::of_study(const StudyRowName& name, std::string_view metric) const {
  const StudyRow* row = study_ ? find_row(study_->rows, name) : nullptr;
  return row ? &(*row)[metric] : nullptr;
}

std::optional<Claim> Findings::lower(const char* paper, const std::string& claim, const std::string& a,
                                     const std::string& b, std::string_view metric, double factor) const {
  ClaimCase judged(paper, claim);
  for (const std::string& source : settings_.pair_sources) {
    for (const std::string& sampler : settings_.samplers)
      judged.lower(fmt::format("{} pairs, {}", source, sampler), metric, {a, main(a, source, sampler, metric)},
                   {b, main(b, source, sampler, metric)}, factor);
    judged.lower(fmt::format("{} pairs, tuned", source), metric, {a, of_study({kTunedPart, a, source}, metric)},
                 {b, of_study({kTunedPart, b, source}, metric)}, factor);
  }
  return judged.judge();
}

void append(std::vector<Claim>& claims, std::optional<Claim> claim) {
  if (claim) claims.push_back(std::move(*claim));
}

Claim beyond_the_toy(const char* paper, const char* claim, const char* why) {
  return {paper, claim, "undetermined", fmt::format("out of the toy's reach: {}", why)};
}

}  // namespace plumb::toy2d
