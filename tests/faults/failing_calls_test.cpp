// R4: the n-th call of a save or of a load fails.
#include "tests/faults/failing_calls.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "engine/error.h"
#include "engine/format.h"
#include "tests/faults/counts.h"
#include "tests/faults/tiny_run.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using namespace plumb::test;
namespace fs = std::filesystem;

namespace {

/// The message of an Error, "" without one. Anything else that is thrown is a fault of ours.
template <class Work>
std::string error_of(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

int open_files() { return int(std::distance(fs::directory_iterator("/proc/self/fd"), {})); }

}  // namespace

TEST_CASE("R4: any call of a save that fails is reported, and leaves the old checkpoint or the new one") {
  TinyRun old(1), fresh(2);
  const std::string bits_old = old.bits(), bits_new = fresh.bits();
  int64_t failed = 0, reported = 0;
  for (const int64_t step : {2, 1}) {
    for (const Failure& failure : kFailures) {
      bool untouched = false;
      for (int64_t at = 0; !untouched; ++at) {
        INFO(failure.name, " at call ", at, " of a save of step ", step);
        const TempDir folder;
        old.save(folder.path(), 1, 0);
        const int before = open_files();
        std::string message;
        {
          const FaultInjection injection(
              {.folder = folder.path().string(), .at = at, .fault = failure.fault, .error = failure.error});
          message = error_of([&] { fresh.save(folder.path(), step, 1); });
          untouched = injection.calls() <= at;
          failed += injection.hit();
        }
        CHECK(open_files() == before);
        if (untouched || failure.fault == Fault::half) CHECK(message == "");
        const Recovered found = recover(folder.path());
        CHECK(found.fault == "");
        const bool is_new = found.step == step && found.bits == bits_new;
        CHECK((is_new || (found.step == 1 && found.bits == bits_old)));
        if (message.empty()) CHECK(is_new);
        if (!message.empty()) CHECK(message.find(folder.path().string()) != std::string::npos);
        reported += !message.empty();
      }
    }
  }
  CHECK(reported > 50);
  count("R4",
        fmt::format("{} failing calls in saves: {} reported, {} of no consequence, 0 wrong results, 0 files left open",
                    failed, reported, failed - reported));
}

TEST_CASE("R4: any call of a load that fails is reported, or has no consequence") {
  TinyRun old(1), fresh(2);
  const TempDir folder;
  old.save(folder.path(), 1, 0);
  fresh.save(folder.path(), 2, 0);
  const std::string bits_new = fresh.bits();
  int64_t failed = 0, reported = 0;
  for (const Failure& failure : kFailures) {
    bool untouched = false;
    for (int64_t at = 0; !untouched; ++at) {
      INFO(failure.name, " at call ", at);
      const int before = open_files();
      std::string bits;
      std::vector<std::string> broken;
      std::string message;
      {
        const FaultInjection injection(
            {.folder = folder.path().string(), .at = at, .fault = failure.fault, .error = failure.error});
        message = error_of([&] {
          const auto found = find_checkpoint(folder.path(), &broken);
          if (found) bits = loaded_bits(found->path);
        });
        untouched = injection.calls() <= at;
        failed += injection.hit();
      }
      CHECK(open_files() == before);
      // The newest one, or the one before with the reason, or an error: never an empty folder, never other bits.
      const bool passed_over = broken.size() == 1 && broken[0].find("checkpoint-2") != std::string::npos;
      CHECK((bits == bits_new || passed_over || !message.empty()));
      if (untouched || failure.fault == Fault::half) CHECK(bits == bits_new);
      reported += !message.empty() || passed_over;
    }
  }
  CHECK(reported > 10);
  count("R4",
        fmt::format("{} failing calls in loads: {} reported, {} of no consequence, 0 wrong results, 0 files left open",
                    failed, reported, failed - reported));
}
