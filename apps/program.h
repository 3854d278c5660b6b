#pragma once

#include "apps/verbs.h"

namespace plumb {

/// The whole program: `plumb VERB [flags]`, `plumb help VERB`, `plumb --help`, `plumb --version`. `words` excludes the
/// program's name. Returns the exit code; throws what the verb throws, and UsageError for an unknown verb.
int run_program(const Arguments& words, const std::vector<Verb>& verbs);

}  // namespace plumb
