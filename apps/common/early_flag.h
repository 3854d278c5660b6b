#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "apps/common/cli.h"

namespace plumb {

/// The value that the command line, or else the file named by --config, gives `--name`, before the flags are known: for
/// verbs whose flags depend on it. Empty where it is not given. Throws UsageError for an unreadable file.
std::optional<std::string> early_flag(const Arguments& arguments, std::string_view name);

}  // namespace plumb
