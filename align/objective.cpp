#include "align/objective.h"

#include <fmt/format.h>

#include "align/objectives/ddspo.h"
#include "align/objectives/diffusion_dpo.h"
#include "align/objectives/diffusion_kto.h"
#include "align/objectives/dspo.h"
#include "align/objectives/dspo_e.h"
#include "align/objectives/dspo_ref.h"
#include "align/objectives/dspo_xl.h"
#include "align/objectives/mapo.h"
#include "align/objectives/self_dpo.h"
#include "align/objectives/sft.h"
#include "engine/format.h"
#include "engine/require.h"

namespace plumb {

const std::vector<ObjectiveEntry>& objective_table() {
  static const std::vector<ObjectiveEntry> table = {
      {"sft", "supervised fine-tuning on winners", make_sft},
      {"diffusion_dpo", "Diffusion-DPO: logistic loss on the error margin", make_diffusion_dpo},
      {"diffusion_kto", "Diffusion-KTO: utility of samples judged one by one", make_diffusion_kto},
      {"mapo", "MaPO: likelihood odds of the student itself, without a reference", make_mapo},
      {"dspo", "DSPO: score matching with the winners' score shifted by the preference", make_dspo},
      {"dspo_e", "DSPO-E: the same without the preference probability or losers", make_dspo_e},
      {"dspo_ref", "DSPO-ref: the reference as the data score (degenerate at the reference)", make_dspo_ref},
      {"dspo_xl", "DSPO-XL: the square of the preference probability's rest", make_dspo_xl},
      {"ddspo", "DDSPO: Diffusion-DPO against the scores of a winning and a losing policy", make_ddspo},
      {"self_dpo", "Self-DPO: Diffusion-DPO on degraded winners, beside the denoising loss", make_self_dpo},
  };
  return table;
}

std::unique_ptr<Objective> make_objective(std::string_view name, const ObjectiveSettings& settings) {
  std::vector<std::string_view> names;
  for (const ObjectiveEntry& entry : objective_table()) {
    if (entry.name == name) return entry.make(settings);
    names.push_back(entry.name);
  }
  raise<ValueError>("objective: unknown name ({}); known: {}", name, fmt::join(names, ", "));
}

namespace detail {

void check_objective_input(std::string_view objective, const ObjectiveInput& input, bool pairs, bool reference) {
  const Tensor& pred = input.pred.value();
  require<ValueError>(pred.defined() && input.target.defined(), "{}: needs pred and target", objective);
  require<DTypeError>(is_floating(pred.dtype()), "{}: predictions must be floating; pred {}", objective, pred);
  require<ShapeError>(pred.rank() >= 1 && pred.size(0) >= 1, "{}: needs at least one sample; pred {}", objective, pred);
  require<ShapeError>(pred.shape() == input.target.shape(), "{}: target must have pred's shape; pred {}, target {}",
                      objective, pred, input.target);
  require<DTypeError>(pred.dtype() == input.target.dtype(), "{}: target must have pred's type; pred {}, target {}",
                      objective, pred, input.target);
  require<ShapeError>(!pairs || pred.size(0) % 2 == 0, "{}: rows must be winners then losers, an even number; pred {}",
                      objective, pred);
  if (!reference) return;
  require<ValueError>(input.ref.defined(), "{}: needs the reference's predictions (ref)", objective);
  require<ShapeError>(pred.shape() == input.ref.shape(), "{}: ref must have pred's shape; pred {}, ref {}", objective,
                      pred, input.ref);
  require<DTypeError>(pred.dtype() == input.ref.dtype(), "{}: ref must have pred's type; pred {}, ref {}", objective,
                      pred, input.ref);
}

}  // namespace detail
}  // namespace plumb
