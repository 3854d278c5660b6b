#include "engine/io/directory.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

#include "engine/error.h"
#include "engine/io/file.h"
#include "engine/io/sha256.h"
#include "engine/random/random_key.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using plumb::test::TempDir;
namespace fs = std::filesystem;

namespace {

void write_checkpoint(const fs::path& target, int step, size_t size = 100) {
  AtomicDirectory directory(target);
  directory.add("weights.bin", std::string(size, char('a' + step % 26)));
  directory.add("unet/config.json", "{\"step\": " + std::to_string(step) + "}");
  directory.commit(Json::object().set("step", step));
}

std::string error_of(const fs::path& path) {
  try {
    verify_directory(path);
  } catch (const IoError& error) {
    return error.what();
  }
  return "verified";
}

std::string of_process(const std::string& prefix, pid_t process) { return prefix + std::to_string(process); }

// A process number that no longer runs.
pid_t dead_process() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  return child;
}

}  // namespace

TEST_CASE("directory: a committed directory verifies and carries the caller's fields") {
  const TempDir dir;
  write_checkpoint(dir / "checkpoint-7", 7);
  const Json manifest = verify_directory(dir / "checkpoint-7");
  CHECK(manifest.at("step").as_integer() == 7);
  CHECK(manifest.at("files").size() == 2);
  CHECK(manifest.at("files").at("weights.bin").at("size").as_integer() == 100);
  CHECK(read_file(dir / "checkpoint-7/unet/config.json") == "{\"step\": 7}");
  CHECK(dir.entries() == 1);
}

TEST_CASE("directory: files of other writers are taken in at commit") {
  const TempDir dir;
  {
    AtomicDirectory directory(dir / "c");
    write_file_atomic(directory.file("deep/er/model.bin"), "weights");
    directory.commit();
  }
  CHECK(verify_directory(dir / "c").at("files").as_object()[0].key == "deep/er/model.bin");
}

TEST_CASE("directory: without commit nothing remains") {
  const TempDir dir;
  {
    AtomicDirectory directory(dir / "c");
    directory.add("a", "1");
  }
  CHECK(dir.entries() == 0);
}

TEST_CASE("directory: an existing one is replaced whole, missing parents are made") {
  const TempDir dir;
  write_checkpoint(dir / "out/c", 1);
  {
    AtomicDirectory directory(dir / "out/c");
    directory.add("only", "x");
    CHECK(verify_directory(dir / "out/c").at("step").as_integer() == 1);
    directory.commit();
  }
  CHECK(verify_directory(dir / "out/c").at("files").size() == 1);
  CHECK_FALSE(fs::exists(dir / "out/c/weights.bin"));
  CHECK(std::distance(fs::directory_iterator(dir / "out"), {}) == 1);
}

TEST_CASE("directory: names that leave it, and a second manifest, are refused") {
  const TempDir dir;
  AtomicDirectory directory(dir / "c");
  for (const char* name : {"../x", "a/../../x", "/tmp/x", "", ".", "a/", "a/./b", "manifest.json"}) {
    CAPTURE(name);
    CHECK_THROWS_AS(directory.add(name, "x"), IoError);
    CHECK_THROWS_AS(directory.file(name), IoError);
  }
  CHECK_THROWS_WITH_AS(directory.add("../x", "x"), "write: name must be a file inside the directory; \"../x\"",
                       IoError);
  CHECK_THROWS_AS(directory.commit(Json::object().set("files", 1)), ValueError);
  directory.add("a", "1");
  CHECK_THROWS_AS(directory.add("a", "2"), IoError);
  fs::create_symlink("/etc/passwd", directory.file("link"));
  CHECK_THROWS_AS(directory.commit(), IoError);
}

TEST_CASE("directory: one that is removed leaves its name first") {
  const TempDir dir;
  write_checkpoint(dir / "c", 1);
  write_checkpoint(dir / "d", 2);
  remove_directory(dir / "c");
  CHECK(dir.entries() == 1);
  CHECK(error_of(dir / "d") == "verified");
  CHECK_THROWS_WITH_AS(remove_directory(dir / "c"),
                       ("remove: file cannot be given its name (No such file or directory); " +
                        (dir / of_process(".c.tmp-", ::getpid())).string())
                           .c_str(),
                       IoError);
}

TEST_CASE("directory: a file or a link at the target is refused") {
  const TempDir dir;
  write_file_atomic(dir / "f", "x");
  CHECK_THROWS_WITH_AS(AtomicDirectory(dir / "f"),
                       ("write: path must be a directory or free; " + (dir / "f").string()).c_str(), IoError);
  fs::create_directory(dir / "elsewhere");
  fs::create_directory_symlink(dir / "elsewhere", dir / "link");
  CHECK_THROWS_AS(AtomicDirectory(dir / "link"), IoError);
  CHECK(dir.entries() == 3);
}

TEST_CASE("directory: a missing, longer or changed file is named") {
  const TempDir dir;
  const auto fresh = [&] { write_checkpoint(dir / "c", 1); };
  const std::string weights = (dir / "c/weights.bin").string();
  fresh();
  fs::remove(weights);
  CHECK(error_of(dir / "c") == "verify: file cannot be examined (No such file or directory); " + weights);
  fresh();
  write_file_atomic(weights, std::string(101, 'b'));
  CHECK(error_of(dir / "c") == "verify: file must have 100 bytes (101); " + weights);
  fresh();
  write_file_atomic(weights, std::string(100, 'c'));
  CHECK(error_of(dir / "c").starts_with("verify: file must have SHA-256 "));
  CHECK(error_of(dir / "c").ends_with("; " + weights));
  fresh();
  write_file_atomic(dir / "copy", read_file(weights));
  fs::remove(weights);
  fs::create_symlink(dir / "copy", weights);
  CHECK(error_of(dir / "c") == "verify: file must be a regular file; " + weights);
  fresh();
  fs::remove(dir / "c/manifest.json");
  CHECK(error_of(dir / "c").starts_with("read: file cannot be opened"));
  CHECK(error_of(dir / "none").starts_with("read: file cannot be opened"));
}

TEST_CASE("directory: every single flipped bit is found and its file named") {
  const TempDir dir;
  write_checkpoint(dir / "c", 3, 64);
  for (const char* name : {"manifest.json", "weights.bin", "unet/config.json"}) {
    const fs::path path = dir / "c" / name;
    const std::string original = read_file(path);
    for (size_t bit = 0; bit < original.size() * 8; ++bit) {
      std::string flipped = original;
      flipped[bit / 8] = char(flipped[bit / 8] ^ (1 << bit % 8));
      // Not atomic on purpose: thousands of syncs would take minutes.
      FILE* file = std::fopen(path.c_str(), "wb");
      std::fwrite(flipped.data(), 1, flipped.size(), file);
      std::fclose(file);
      const std::string error = error_of(dir / "c");
      if (error.find(path.string()) == std::string::npos) FAIL(name << " bit " << bit << ": " << error);
    }
    write_file_atomic(path, original);
  }
  CHECK(error_of(dir / "c") == "verified");
}

TEST_CASE("directory: a manifest that lists files outside is refused") {
  const TempDir dir;
  write_checkpoint(dir / "c", 3);
  write_file_atomic(dir / "outside", "x");
  Json forged =
      Json::parse(read_file(dir / "c/manifest.json"));  // with a correct hash of its own, as an attacker would
  forged.erase("manifest_sha256");
  forged.set("files", Json::object().set("../outside", Json::object().set("size", 1).set("sha256", sha256_hex("x"))));
  const std::string hash = sha256_hex(forged.dump(2));
  write_file_atomic(dir / "c/manifest.json", forged.set("manifest_sha256", hash).dump(2) + "\n");
  CHECK(error_of(dir / "c") == "verify: name must be a file inside the directory; \"../outside\"");
}

TEST_CASE("directory: leftovers of killed processes go, or come back when they are the last copy") {
  const TempDir dir;
  const pid_t dead = dead_process();
  write_checkpoint(dir / "a", 1);
  fs::rename(dir / "a", dir / of_process(".a.old-", dead));  // killed between the two renames
  write_checkpoint(dir / "b", 2);
  fs::create_directory(dir / of_process(".b.old-", dead));  // killed before the last removal
  fs::create_directories(dir / of_process(".c.tmp-", dead) / "deep");
  write_file_atomic(dir / of_process(".f.tmp-", dead), "x");
  fs::create_directory(dir / of_process(".g.tmp-", ::getppid()));  // of a running process
  fs::create_directory(dir / ".h.tmp-");
  fs::create_directory(dir / "i.tmp-1");
  CHECK(remove_leftovers(dir.path()).size() == 4);
  CHECK(verify_directory(dir / "a").at("step").as_integer() == 1);
  CHECK(verify_directory(dir / "b").at("step").as_integer() == 2);
  CHECK(dir.entries() == 5);
  CHECK(remove_leftovers(dir.path()).empty());
}

TEST_CASE("directory: a process killed at any time leaves the old or the new directory whole") {
  const TempDir dir;
  write_checkpoint(dir / "c", 0, 200000);
  const auto start = std::chrono::steady_clock::now();
  write_checkpoint(dir / "c", 0, 200000);
  const auto one = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
  int64_t last = 0, advanced = 0;
  for (uint64_t kill = 0; kill < 20 || (advanced == 0 && kill < 500); ++kill) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (int step = int(last) + 1;; ++step) write_checkpoint(dir / "c", step, 200000);
    }
    // Within three saves; longer and longer on a machine too busy to finish one in that time.
    ::usleep(useconds_t(mix64(kill) % (3 * uint64_t(one.count()) * (1 + kill / 20))));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    remove_leftovers(dir.path());
    const int64_t step = verify_directory(dir / "c").at("step").as_integer();
    REQUIRE(step >= last);
    REQUIRE(dir.entries() == 1);
    advanced += step > last;
    last = step;
  }
  CHECK(advanced > 0);
}

TEST_CASE("directory: a lock is held by one process at a time") {
  const TempDir dir;
  {
    const DirectoryLock lock(dir.path());
    CHECK_THROWS_WITH_AS(DirectoryLock(dir.path()),
                         ("lock: directory is in use by another process; " + dir.path().string()).c_str(), IoError);
  }
  const DirectoryLock again(dir.path());
  CHECK_THROWS_AS(DirectoryLock(dir / "none"), IoError);
}
