#include "apps/program.h"

#include <doctest/doctest.h>

using namespace plumb;

namespace {

const std::vector<Verb> kVerbs = {
    {"toy2d", "first", [](const Arguments& words) { return static_cast<int>(words.size()); }},
    {"train", "second", [](const Arguments&) { return 40; }},
};

}  // namespace

TEST_CASE("program: hands a verb the words after it") {
  CHECK(run_program({"toy2d", "--a", "b"}, kVerbs) == 2);
  CHECK(run_program({"train"}, kVerbs) == 40);
  CHECK(run_program({"help", "toy2d"}, kVerbs) == 1);
}

TEST_CASE("program: refuses an unknown verb and names the nearest") {
  CHECK_THROWS_WITH_AS(run_program({"toyd2"}, kVerbs),
                       "unknown verb \"toyd2\" (on the command line); did you mean toy2d?", UsageError);
  CHECK_THROWS_WITH_AS(run_program({"paint"}, kVerbs), "unknown verb \"paint\" (on the command line); see plumb --help",
                       UsageError);
}

TEST_CASE("program: every verb is named once and explained in a line") {
  for (const Verb& verb : verbs()) {
    CAPTURE(verb.name);
    CHECK(verb.summary.find('\n') == std::string_view::npos);
    CHECK(verb.name.size() + verb.summary.size() < 90);
    int same = 0;
    for (const Verb& other : verbs()) same += other.name == verb.name;
    CHECK(same == 1);
  }
}
