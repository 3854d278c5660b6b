#include "apps/verbs.h"

#include "apps/about/about.h"

namespace plumb {

const std::vector<Verb>& verbs() {
  // One line a verb, in the order of a first tour.
  static const std::vector<Verb> all = {
      {"about", "what this build and this machine are", run_about},
  };
  return all;
}

}  // namespace plumb
