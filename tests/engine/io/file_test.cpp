#include "engine/io/file.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "engine/error.h"
#include "engine/io/system_error.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using plumb::test::TempDir;
namespace fs = std::filesystem;

TEST_CASE("file: what is written is read back, empty and large") {
  const TempDir dir;
  for (size_t size : {0, 1, 4096, 4097, 3000000}) {
    std::string bytes(size, '\0');
    for (size_t i = 0; i < size; ++i) bytes[i] = char(i * 31);
    write_file_atomic(dir / "f", bytes);
    CHECK(read_file(dir / "f") == bytes);
    const MappedFile mapped(dir / "f");
    CHECK(std::string(mapped.bytes().begin(), mapped.bytes().end()) == bytes);
  }
  CHECK(dir.entries() == 1);
}

TEST_CASE("file: files without a size are read to their end") {
  CHECK(read_file("/proc/self/status").find("Name:") != std::string::npos);
}

TEST_CASE("file: errors name the path and the reason") {
  const TempDir dir;
  const std::string path = (dir / "none").string();
  CHECK_THROWS_WITH_AS(read_file(path), ("read: file cannot be opened (No such file or directory); " + path).c_str(),
                       IoError);
  CHECK_THROWS_WITH_AS(read_file(dir.path()),
                       ("read: file cannot be read (Is a directory); " + dir.path().string()).c_str(), IoError);
  CHECK_THROWS_WITH_AS(MappedFile(dir.path()), ("map: path must name a regular file; " + dir.path().string()).c_str(),
                       IoError);
  CHECK_THROWS_AS(MappedFile{path}, IoError);
  CHECK_THROWS_AS(write_file_atomic(dir / "no/such/folder", "x"), IoError);
  CHECK_THROWS_WITH_AS(write_file_atomic(dir.path(), "x"),
                       ("write: path must name a file (it is a directory); " + dir.path().string()).c_str(), IoError);
  CHECK_THROWS_AS(write_file_atomic("", "x"), IoError);
  CHECK_THROWS_AS(write_file_atomic(dir.path() / "", "x"), IoError);
  CHECK_THROWS_AS(write_file_atomic(dir / std::string(300, 'n'), "x"), IoError);
  CHECK(dir.entries() == 0);
}

TEST_CASE("file: longer files than the limit are refused, also without a size") {
  const TempDir dir;
  write_file_atomic(dir / "f", std::string(11, 'x'));
  CHECK(read_file(dir / "f", 11).size() == 11);
  CHECK_THROWS_WITH_AS(read_file(dir / "f", 10),
                       ("read: file must have at most 10 bytes (11); " + (dir / "f").string()).c_str(), IoError);
  CHECK_THROWS_AS(read_file("/dev/zero", 100000), IoError);
}

TEST_CASE("file: without commit the old file stays and nothing else remains") {
  const TempDir dir;
  write_file_atomic(dir / "f", "old");
  {
    AtomicFile file(dir / "f");
    file.write("new");
    CHECK(read_file(dir / "f") == "old");
  }
  CHECK(read_file(dir / "f") == "old");
  CHECK(dir.entries() == 1);
  AtomicFile file(dir / "f");
  file.write("new");
  file.commit();
  CHECK(read_file(dir / "f") == "new");
  CHECK(dir.entries() == 1);
}

TEST_CASE("file: a commit that does not wait for the disk is as complete to every reader") {
  const TempDir dir;
  write_file_atomic(dir / "f", "old");
  AtomicFile file(dir / "f");
  file.write("new");
  CHECK(read_file(dir / "f") == "old");
  file.commit(Durability::left_to_system);
  CHECK(read_file(dir / "f") == "new");
  CHECK(dir.entries() == 1);
}

TEST_CASE("file: a leftover of a killed process with our number is no obstacle, nor a link planted there") {
  const TempDir dir;
  write_file_atomic(dir / "victim", "safe");
  const std::string temporary = ".f.tmp-" + std::to_string(::getpid());
  fs::create_symlink(dir / "victim", dir / temporary);
  write_file_atomic(dir / "f", "new");
  CHECK(read_file(dir / "f") == "new");
  CHECK(read_file(dir / "victim") == "safe");
  CHECK(dir.entries() == 2);
}

TEST_CASE("file: a link at the target is replaced, not followed") {
  const TempDir dir;
  write_file_atomic(dir / "outside", "safe");
  fs::create_symlink(dir / "outside", dir / "f");
  write_file_atomic(dir / "f", "new");
  CHECK(read_file(dir / "outside") == "safe");
  CHECK_FALSE(fs::is_symlink(dir / "f"));
}

TEST_CASE("file: what is appended is there at once, and a full disk is no fault of the caller's") {
  const TempDir dir;
  write_file_atomic(dir / "log", "a\n");
  {
    AppendedFile log(dir / "log");
    log.write("b\n");
    CHECK(read_file(dir / "log") == "a\nb\n");
    log.sync();
  }
  AppendedFile(dir / "fresh").write("c");
  CHECK(read_file(dir / "fresh") == "c");
  AppendedFile("/dev/null").sync();
  CHECK_THROWS_AS(AppendedFile(dir / "absent/log"), IoError);
  CHECK_THROWS_WITH_AS(AppendedFile("/dev/full").write("x"),
                       "write: file cannot be written (No space left on device); /dev/full", SystemError);
}

TEST_CASE("file: a folder in shared memory is a folder") {
  if (!fs::is_directory("/dev/shm")) return;
  const fs::path path = "/dev/shm/plumb-test-" + std::to_string(::getpid());
  write_file_atomic(path, "new");
  CHECK(read_file(path) == "new");
  fs::remove(path);
  CHECK_THROWS_AS(write_file_atomic("/dev/plumb-test-nothing", "x"), IoError);  // no file for a mistyped device
}

TEST_CASE("file: devices and pipes are written in place") {
  write_file_atomic("/dev/null", "x");
  CHECK(fs::is_character_file("/dev/null"));
  CHECK_THROWS_WITH_AS(write_file_atomic("/dev/full", "x"),
                       "write: file cannot be written (No space left on device); /dev/full", IoError);
  CHECK(fs::is_character_file("/dev/full"));
}

TEST_CASE("file: when the disk is full the old file stays and nothing else remains") {
  const TempDir dir;
  write_file_atomic(dir / "f", "old");
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{1000, before.rlim_max};
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &small);
  CHECK_THROWS_WITH_AS(write_file_atomic(dir / "f", std::string(5000, 'x')),
                       ("write: file cannot be written (File too large); " + (dir / "f").string()).c_str(), IoError);
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  CHECK(read_file(dir / "f") == "old");
  CHECK(dir.entries() == 1);
}

TEST_CASE("file: changing a mapping leaves the file alone, and a mapping can be moved") {
  const TempDir dir;
  write_file_atomic(dir / "f", "abc");
  MappedFile mapped(dir / "f");
  mapped.bytes()[0] = 'X';
  MappedFile moved(std::move(mapped));
  CHECK(moved.bytes()[0] == 'X');
  CHECK(read_file(dir / "f") == "abc");
  MappedFile other(dir / "f");
  other = std::move(moved);
  CHECK(other.bytes()[0] == 'X');
}

TEST_CASE("file: paths with blanks and UTF-8 work") {
  const TempDir dir;
  write_file_atomic(dir / "größe und 高さ", "x");
  CHECK(read_file(dir / "größe und 高さ") == "x");
}
