#include "apps/align/policy.h"

#include "engine/require.h"

namespace plumb {

std::unique_ptr<PolicyPair> make_policy(const PolicyOptions& options, const PolicyParts& parts) {
  if (options.name == "forward") return make_forward_process_pair();
  if (options.name == "training_free") return make_training_free_pair();
  if (options.name == "oracle") return make_oracle_pair(parts.world, parts.schedule);
  require<ValueError>(options.name == "data_driven",
                      "policy pair: unknown name ({}); known: forward, training_free, oracle, data_driven",
                      options.name);
  return make_data_driven_pair(parts.initial, parts.schedule, parts.pairs, parts.key, options.data_driven);
}

}  // namespace plumb
