#include "apps/shapes/shapes.h"

#include <cstdio>
#include <string_view>

#include "apps/common/nearest.h"
#include "apps/shapes/actions.h"
#include "apps/shapes/study/study.h"
#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

struct Action {
  std::string_view name, summary;
  int (*run)(const Arguments& arguments);
};

// One line an action, in the order of their use.
constexpr Action kActions[] = {
    {"make", "a data set of pictures with (noisy) captions", shapes::run_make},
    {"prompts", "prompts for sampling, balanced over six categories", shapes::run_prompts},
    {"rewrites", "degraded versions of prompts: attributes swapped, or bad quality", shapes::run_rewrites},
    {"score", "how well pictures follow their prompts, by category", shapes::run_score},
    {"preferences", "a labelled preference set from scored pictures", shapes::run_preferences},
    {"sheet", "a sheet of pictures with prompts, right and wrong marked", shapes::run_sheet},
    {"features", "a small classifier: the feature space in which plumb eval compares pictures", shapes::run_features},
    {"certify", "how often the analyser is right on pictures of known content", shapes::run_certify},
    {"study", "a reference, preference sets, every objective and the table of what held", run_shapes_study},
};

std::string list_of_actions() {
  std::string text;
  for (const Action& action : kActions) text += fmt::format("  {:<12} {}\n", action.name, action.summary);
  return text;
}

}  // namespace

int run_shapes(const Arguments& arguments) {
  require<UsageError>(!arguments.empty(), "shapes: there must be an action; plumb shapes --help lists them");
  if (arguments[0] == "--help" || arguments[0] == "-h") {
    std::printf(
        "plumb shapes ACTION [flags]: the world of captioned shapes, where a picture is read back exactly\n\n%s\n"
        "plumb shapes ACTION --help explains one.\n\nExample: plumb shapes make --world tiny --out runs/shapes/data\n",
        list_of_actions().c_str());
    return kExitDone;
  }
  std::vector<std::string> names;
  for (const Action& action : kActions) {
    if (arguments[0] == action.name) return action.run({arguments.begin() + 1, arguments.end()});
    names.emplace_back(action.name);
  }
  const std::string meant = nearest(arguments[0], names);
  raise<UsageError>("shapes: there is no such action ({}); {}", arguments[0],
                    meant.empty() ? "plumb shapes --help lists them" : fmt::format("did you mean {}?", meant));
}

}  // namespace plumb
