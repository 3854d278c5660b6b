// R25: bits that flip on the disk.
#include <doctest/doctest.h>

#include <fstream>

#include "engine/error.h"
#include "engine/format.h"
#include "engine/io/file.h"
#include "engine/random/random_key.h"
#include "tests/faults/counts.h"
#include "tests/faults/tiny_run.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using namespace plumb::test;
namespace fs = std::filesystem;

namespace {

void flip(const fs::path& path, uint64_t bit) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(std::streamoff(bit / 8));
  const char byte = char(file.get() ^ (1 << bit % 8));
  file.seekp(std::streamoff(bit / 8));
  file.put(byte);
}

}  // namespace

TEST_CASE("R25: a flipped bit anywhere in a checkpoint is found, and its file named") {
  const TempDir folder;
  TinyRun(1).save(folder.path(), 1, 0);
  TinyRun(2).save(folder.path(), 2, 0);
  const fs::path checkpoint = folder / "checkpoint-2";
  std::vector<fs::path> files;
  uint64_t bits = 0;
  for (const auto& entry : fs::directory_iterator(checkpoint)) files.push_back(entry.path());
  for (const fs::path& file : files) bits += 8 * fs::file_size(file);
  const int64_t total = tries(2500, 10000);
  for (int64_t trial = 0; trial < total; ++trial) {
    uint64_t bit = mix64(uint64_t(trial) + 17) % bits;
    size_t which = 0;
    for (; bit >= 8 * fs::file_size(files[which]); ++which) bit -= 8 * fs::file_size(files[which]);
    flip(files[which], bit);
    std::vector<std::string> broken;
    const auto found = find_checkpoint(folder.path(), &broken);
    INFO("bit ", bit, " of ", files[which].string());
    REQUIRE(found.has_value());
    REQUIRE(found->step == 1);
    REQUIRE(broken.size() == 1);
    REQUIRE(broken[0].find(files[which].string()) != std::string::npos);
    flip(files[which], bit);
  }
  CHECK(find_checkpoint(folder.path())->step == 2);
  count("R25",
        fmt::format("{} random bits of a checkpoint of {} files flipped, one by one: {} found and named, 0 loaded",
                    total, files.size(), total));
}
