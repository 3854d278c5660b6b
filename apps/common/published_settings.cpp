#include "apps/common/published_settings.h"

namespace plumb {

const std::vector<PublishedSettings>& published_settings() {
  static const std::vector<PublishedSettings> table = {
      {"diffusion_dpo", "forward", 1e-8, true, 5000.0, 2000, 500},
      {"diffusion_kto", "forward", 1e-7, false, 5000.0, 20000, 200},
      {"mapo", "forward", 1e-5, false, std::nullopt, 0, 0},
      {"dspo", "forward", 1e-8, true, 0.001, 500, 500},
      {"dspo_xl", "forward", 1e-8, true, 5000.0, 600, 500},
      {"ddspo", "training_free", 2.5e-9, true, 16000.0, 200, 100},
      {"ddspo", "data_driven", 2.5e-9, true, 8000.0, 100, 100},
      {"self_dpo", "forward", 1e-6, false, 5000.0, 2000, 500},
  };
  return table;
}

const PublishedSettings* find_published(std::string_view objective, std::string_view policy) {
  const PublishedSettings* first = nullptr;
  for (const PublishedSettings& row : published_settings()) {
    if (row.objective != objective) continue;
    if (row.policy == policy) return &row;
    if (!first) first = &row;
  }
  return first;
}

double beta_factor(std::string_view objective) { return objective == "diffusion_kto" ? 1 : 0.5; }

double preference_strength(double beta, int64_t elements, double factor) { return factor * beta / double(elements); }

double beta_of_strength(double strength, int64_t elements, double factor) {
  return strength * double(elements) / factor;
}

}  // namespace plumb
