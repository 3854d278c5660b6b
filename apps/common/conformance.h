#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/io/json.h"
#include "engine/io/safetensors.h"

// What the verbs `op` and `objective` share: a directory of cases, run one after the other in one process.

namespace plumb {

/// Runs every case of `directory`. `number_key` names the member that holds the case's number ("n" or "case"); `run`
/// maps input tensors to output tensors. A case that fails is reported on standard error and the others go on. Returns
/// kExitDone, or kExitUsage when a case failed. Throws IoError for a directory or a cases.json that cannot be read.
int run_cases(const std::string& directory, const char* number_key,
              const std::function<TensorMap(const Json& entry, const TensorMap& inputs)>& run);

}  // namespace plumb
