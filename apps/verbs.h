#pragma once

#include <string_view>
#include <vector>

#include "apps/common/cli.h"

namespace plumb {

/// One verb of the program. `run` gets the words after the verb and returns the exit code; it may throw (run_guarded
/// reports). It handles --help itself, through Flags::parse.
struct Verb {
  std::string_view name;
  std::string_view summary;  // one line for `plumb --help`
  int (*run)(const Arguments& arguments);
};

/// All verbs, in the order of `plumb --help`.
///
/// To add a verb `foo`: write apps/foo/foo.{h,cpp} with `int run_foo(const Arguments&)` (apps/about is the worked
/// example), name the sources in apps/meson.build, and add an include and a line to apps/verbs.cpp.
const std::vector<Verb>& verbs();

}  // namespace plumb
