#include "apps/common/child_process.h"

#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "engine/error.h"

using namespace plumb;

TEST_CASE("a child's exit code is its own, and 128 + N for signal N") {
  const StopOnSignal stop;
  CHECK(run_child("/bin/sh", {"-c", "exit 0"}, stop) == 0);
  CHECK(run_child("/bin/sh", {"-c", "exit 7"}, stop) == 7);
  CHECK(run_child("/bin/sh", {"-c", "kill -TERM $$"}, stop) == 143);
  CHECK(run_child("/bin/sh", {"-c", "test \"$1\" = 'two words'", "sh", "two words"}, stop) == 0);
}

TEST_CASE("a child is told of the signal that stops its parent, once, and its end is waited for") {
  const StopOnSignal stop;
  std::thread signaller([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    std::raise(SIGTERM);
  });
  // A second signal would be counted, too.
  CHECK(
      run_child(
          "/bin/sh",
          {"-c", "trap 'told=$((told + 1))' TERM; while [ -z \"$told\" ]; do sleep 0.05; done; sleep 0.3; exit $told"},
          stop) == 1);
  signaller.join();
  CHECK(stop.exit_code() == 143);
  CHECK(run_child("/bin/sh", {"-c", "sleep 20"}, stop) == 143);  // one that begins after it is told as well
}

TEST_CASE("a program that is not there is an error that names it") {
  CHECK_THROWS_WITH_AS(run_child("/no/such/program", {}, StopOnSignal()), doctest::Contains("/no/such/program"),
                       IoError);
  CHECK(std::filesystem::exists(own_program()));
}
