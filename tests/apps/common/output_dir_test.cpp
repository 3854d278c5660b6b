#include "apps/common/output_dir.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "apps/common/exit_codes.h"

using namespace plumb;

TEST_CASE("output_dir: makes folders, with spaces and UTF-8 in their names, and leaves no probe") {
  std::filesystem::path root = std::filesystem::temp_directory_path() / "plumb output é";
  std::filesystem::remove_all(root);
  {
    OutputDir out((root / "a b").string());
    CHECK(std::filesystem::is_directory(root / "a b"));
    for (const auto& entry : std::filesystem::directory_iterator(root / "a b")) {
      CHECK(entry.path().filename() == ".lock");
    }
    CHECK(out / "x.json" == (root / "a b" / "x.json").string());
    CHECK_THROWS_AS(OutputDir((root / "a b").string()), IoError);
  }
  CHECK_NOTHROW(OutputDir((root / "a b/").string()));
  std::ofstream(root / "file") << "x";
  CHECK_THROWS_AS(OutputDir((root / "file").string()), UsageError);
  CHECK_THROWS_AS(OutputDir((root / "file" / "below").string()), UsageError);
  CHECK_THROWS_AS(require_writable_file(root.string()), UsageError);
  CHECK_NOTHROW(require_writable_file((root / "new.safetensors").string()));
  CHECK_NOTHROW(require_writable_file("/dev/null"));
  std::filesystem::remove_all(root);
}

TEST_CASE("output_dir: refuses what cannot be written before any work") {
  CHECK_THROWS_WITH_AS(OutputDir(""), "the output folder has no name (--out is empty); give --out DIR", UsageError);
  CHECK_THROWS_WITH_AS(OutputDir("/proc/plumb"), doctest::Contains("(/proc/plumb: "), UsageError);
  CHECK_THROWS_AS(OutputDir("/proc"), UsageError);
  CHECK_THROWS_AS(require_writable_file("/proc/plumb.safetensors"), UsageError);
  CHECK_THROWS_AS(require_writable_file("/nowhere/at/all"), UsageError);
}
