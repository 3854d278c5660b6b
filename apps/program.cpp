#include "apps/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "apps/about/about.h"
#include "apps/common/nearest.h"
#include "engine/require.h"

namespace plumb {
namespace {

std::string overview(const std::vector<Verb>& verbs) {
  std::string text = "plumb VERB [flags] - diffusion models and their alignment, from tensors up\n";
  for (const Verb& verb : verbs) text += fmt::format("  {:<12}{}\n", verb.name, verb.summary);
  return text + "`plumb help VERB` explains one; `plumb --version` names this build.\n";
}

const Verb& find_verb(const std::string& name, const std::vector<Verb>& verbs) {
  auto found = std::find_if(verbs.begin(), verbs.end(), [&](const Verb& verb) { return verb.name == name; });
  if (found != verbs.end()) return *found;
  std::vector<std::string> names;
  for (const Verb& verb : verbs) names.emplace_back(verb.name);
  std::string near = nearest(name, names);
  raise<UsageError>("unknown verb \"{}\" (on the command line); {}", name,
                    near.empty() ? "see plumb --help" : fmt::format("did you mean {}?", near));
}

}  // namespace

int run_program(const Arguments& words, const std::vector<Verb>& verbs) {
  bool wants_help = words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help";
  if (wants_help && words.size() < 2) {
    // Without a verb there is nothing to do: the overview helps, the exit code tells scripts.
    std::fputs(overview(verbs).c_str(), words.empty() ? stderr : stdout);
    return words.empty() ? kExitUsage : kExitDone;
  }
  if (words[0] == "--version") {
    std::fputs(version_line().c_str(), stdout);
    return kExitDone;
  }
  if (wants_help) return find_verb(words[1], verbs).run({"--help"});
  return find_verb(words[0], verbs).run(Arguments(words.begin() + 1, words.end()));
}

}  // namespace plumb
