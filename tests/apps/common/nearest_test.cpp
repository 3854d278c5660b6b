#include "apps/common/nearest.h"

#include <doctest/doctest.h>

using namespace plumb;

TEST_CASE("nearest: edit distance of known pairs") {
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("abcd", "acbd") == 1);
  CHECK(edit_distance("seed", "seed") == 0);
}

TEST_CASE("nearest: finds misspelt names and stays silent about strangers") {
  std::vector<std::string> names = {"learning_rate", "seed", "samples_per_class", "out"};
  CHECK(nearest("lerning_rate", names) == "learning_rate");
  CHECK(nearest("sede", names) == "seed");
  CHECK(nearest("samples", names) == "samples_per_class");
  CHECK(nearest("banana", names) == "");
  CHECK(nearest("", names) == "");
  CHECK(nearest(std::string(100000, 'x'), names) == "");
}
