#include "apps/common/signals.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/error.h"

using namespace plumb;

TEST_CASE("signals: the first one raises a flag and names its exit code") {
  for (auto [signal, code] : {std::pair{SIGINT, 130}, std::pair{SIGTERM, 143}}) {
    StopOnSignal stop;
    CHECK(!stop.requested());
    CHECK(stop.exit_code() == 0);
    raise(signal);
    CHECK(stop.requested());
    CHECK(stop.exit_code() == code);
  }
}

TEST_CASE("signals: a second one ends the process at once") {
  pid_t child = fork();
  if (child == 0) {
    StopOnSignal stop;
    raise(SIGINT);
    raise(SIGTERM);
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 143);
}

TEST_CASE("signals: there is one watcher at a time, and the handlers before come back") {
  struct sigaction before {
  }, after{};
  sigaction(SIGTERM, nullptr, &before);
  {
    StopOnSignal stop;
    CHECK_THROWS_AS(StopOnSignal{}, ValueError);
  }
  sigaction(SIGTERM, nullptr, &after);
  bool same = before.sa_handler == after.sa_handler;
  CHECK(same);
}
