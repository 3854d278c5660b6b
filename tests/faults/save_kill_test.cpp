// R1: a process killed at any point of a save.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <deque>
#include <functional>

#include "engine/format.h"
#include "engine/random/random_key.h"
#include "tests/faults/counts.h"
#include "tests/faults/shim.h"
#include "tests/faults/tiny_run.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// A save in another process, which may be killed on the way.
struct Child {
  explicit Child(const std::function<void()>& work) : process(::fork()) {
    if (process != 0) return;
    work();
    ::_exit(0);
  }
  int wait() const {
    int status = 0;
    ::waitpid(process, &status, 0);
    return status;
  }
  pid_t process;
};

bool killed(int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL; }

/// How a save is asked for: into a folder that holds checkpoint-1, as step `step`.
struct Save {
  std::string_view name;
  int64_t step, keep;
};

constexpr Save kSaves[] = {
    {"a further checkpoint", 2, 0}, {"the oldest goes", 2, 1}, {"one of that step is there", 1, 0}};

}  // namespace

TEST_CASE("R1: SIGKILL at each call of a save leaves the old checkpoint or the new one, whole") {
  TinyRun old(1), fresh(2);
  const std::string bits_old = old.bits(), bits_new = fresh.bits();
  int64_t kills = 0, before = 0, after = 0;
  for (const Save& save : kSaves) {
    CAPTURE(save.name);
    for (const Fault fault : {Fault::kill, Fault::torn_kill}) {
      bool untouched = false;
      for (int64_t at = 0; !untouched; ++at) {
        CAPTURE(at);
        const TempDir folder;
        old.save(folder.path(), 1, 0);
        const int status =
            Child([&] {
              const FaultInjection injection({.folder = folder.path().string(), .at = at, .fault = fault});
              fresh.save(folder.path(), save.step, save.keep);
            }).wait();
        untouched = WIFEXITED(status);
        REQUIRE((untouched ? WEXITSTATUS(status) == 0 : killed(status)));
        const Recovered found = recover(folder.path());
        CHECK(found.fault == "");
        const bool is_new = found.bits == bits_new && found.step == save.step;
        const bool is_old = found.bits == bits_old && found.step == 1;
        CHECK((is_new || is_old));
        if (untouched) CHECK(is_new);
        kills += !untouched;
        (is_new ? after : before) += !untouched;
      }
    }
  }
  CHECK(kills > 100);  // a save has some fifty calls
  CHECK(before > 0);
  CHECK(after > 0);
  count("R1", fmt::format("{} kills at every call of {} saves: {} found the old checkpoint, {} the new one, 0 neither",
                          kills, std::size(kSaves), before, after));
}

TEST_CASE("R1: SIGKILL at random times in saves that follow each other never loses a finished checkpoint") {
  const int64_t total = tries(150, 1000);
  std::vector<std::string> bits;
  for (int64_t step = 0; step < 3; ++step) bits.push_back(TinyRun(step).bits());
  std::deque<TinyRun> runs;  // they may not move
  for (int64_t step = 0; step < 3; ++step) runs.emplace_back(step);
  const TempDir folder;
  runs[0].save(folder.path(), 3, 1);
  int64_t step = 3, moved = 0;
  for (int64_t trial = 0; trial < total; ++trial) {
    const Child child([&] {
      for (int64_t next = step + 1;; ++next) runs[size_t(next % 3)].save(folder.path(), next, 1 + trial % 2);
    });
    ::usleep(useconds_t(200 + mix64(uint64_t(trial)) % (kSanitized ? 40000 : 6000)));
    ::kill(child.process, SIGKILL);
    REQUIRE(killed(child.wait()));
    const Recovered found = recover(folder.path());
    REQUIRE(found.fault == "");
    REQUIRE(found.step >= step);
    REQUIRE(found.bits == bits[size_t(found.step % 3)]);
    moved += found.step > step;
    step = found.step;
  }
  CHECK(moved > total / 10);  // else nothing was ever saved
  count("R1", fmt::format("{} kills at random times in saves ({} saves finished): 0 lost", total, step - 3));
}
