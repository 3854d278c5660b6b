// R3: a disk that fills up during a save.
#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/format.h"
#include "tests/faults/counts.h"
#include "tests/faults/shim.h"
#include "tests/faults/tiny_run.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using namespace plumb::test;

TEST_CASE("R3: a disk that is full after any number of bytes fails the save by name and keeps what was there") {
  TinyRun old(1), fresh(2);
  const std::string bits_old = old.bits(), bits_new = fresh.bits();
  const int64_t stride = kSanitized ? 73 : 37;
  int64_t refused = 0;
  for (const int64_t step : {int64_t(2), int64_t(1)}) {
    for (int64_t space = 0;; space += stride) {
      CAPTURE(space);
      const TempDir folder;
      old.save(folder.path(), 1, 0);
      std::string message;
      bool full = false;
      {
        const FaultInjection injection({.folder = folder.path().string(), .space = space});
        try {
          fresh.save(folder.path(), step, 1);
        } catch (const IoError& error) {
          message = error.what();
        }
        full = injection.hit();
      }
      CHECK(full == (message.find("No space left on device") != std::string::npos));
      CHECK(folder.entries() == 1);  // neither a part of the new one nor two
      const Recovered found = recover(folder.path());
      CHECK(found.fault == "");
      CHECK(found.bits == (full ? bits_old : bits_new));
      if (!full) break;
      ++refused;
    }
  }
  CHECK(refused > 50);
  count("R3", fmt::format("{} saves onto a disk with room for a part of them: all refused by name, the old one whole",
                          refused));
}
