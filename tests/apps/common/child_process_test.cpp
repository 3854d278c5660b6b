#include "apps/common/child_process.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "engine/error.h"

using namespace plumb;

TEST_CASE("a child's exit code is its own, and 128 + N for signal N") {
  CHECK(run_child("/bin/sh", {"-c", "exit 0"}) == 0);
  CHECK(run_child("/bin/sh", {"-c", "exit 7"}) == 7);
  CHECK(run_child("/bin/sh", {"-c", "kill -TERM $$"}) == 143);
  CHECK(run_child("/bin/sh", {"-c", "test \"$1\" = 'two words'", "sh", "two words"}) == 0);
}

TEST_CASE("a program that is not there is an error that names it") {
  CHECK_THROWS_WITH_AS(run_child("/no/such/program", {}), doctest::Contains("/no/such/program"), IoError);
  CHECK(std::filesystem::exists(own_program()));
}
