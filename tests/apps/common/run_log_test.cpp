#include "apps/common/run_log.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "engine/error.h"
#include "engine/io/file.h"
#include "engine/io/json.h"

using namespace plumb;

namespace {

struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / "plumb_run_log_test";
  Folder() {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator/(const char* name) const { return (path / name).string(); }
};

}  // namespace

TEST_CASE("run_log: one whole line a step, on disk when write returns") {
  Folder folder;
  RunLog log(folder / "log.jsonl");
  log.write(0, {{"loss", 0.5}, {"lr", 1e-4}});
  CHECK(read_file(folder / "log.jsonl") == "{\"step\": 0, \"loss\": 0.5, \"lr\": 1e-04}\n");
  log.write(1, {{"loss", std::nan("")}});
  CHECK(read_file(folder / "log.jsonl").ends_with("\n{\"step\": 1, \"loss\": null}\n"));
}

TEST_CASE("run_log: a fresh run replaces, a resumed one repeats no step") {
  Folder folder;
  std::string path = folder / "log.jsonl";
  for (int pass = 0; pass < 2; ++pass) {
    RunLog log(path);
    for (int step = 0; step < 5; ++step) log.write(step, {{"loss", 1.0 / (step + 1)}});
  }
  std::string whole = read_file(path);
  std::ofstream(path, std::ios::app) << "{\"step\": 5, \"lo";  // killed inside a line
  {
    RunLog log(path, 3);
    for (int step = 3; step < 5; ++step) log.write(step, {{"loss", 1.0 / (step + 1)}});
  }
  CHECK(read_file(path) == whole);
  RunLog(path, 7);
  CHECK(read_file(path) == whole);
}

TEST_CASE("run_log: a file that cannot be made is named") {
  CHECK_THROWS_AS(RunLog("/proc/nowhere/log.jsonl"), IoError);
  CHECK_THROWS_AS(TensorBoardWriter("/proc/nowhere"), IoError);
}

TEST_CASE("run_log: TensorBoard gets the same numbers in whole records") {
  Folder folder;
  {
    RunLog log(folder / "log.jsonl");
    log.add_tensorboard(folder.path.string());
    log.write(7, {{"loss", 0.5}});
  }
  std::string events;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path)) {
    if (entry.path().filename().string().starts_with("events.out.tfevents.")) events = read_file(entry.path());
  }
  // Walk the frames: each length leads to the next, the last to the end.
  std::vector<std::string> records;
  for (std::size_t at = 0; at < events.size();) {
    REQUIRE(at + 12 <= events.size());
    auto length = static_cast<unsigned char>(events[at]);
    records.push_back(events.substr(at + 12, length));
    CHECK(tf_record(records.back()) == events.substr(at, length + 16u));
    at += length + 16u;
  }
  REQUIRE(records.size() == 2);
  CHECK(
      records[0].ends_with("\x1a\x0d"
                           "brain.Event:2"));
  CHECK(records[1].find("loss") != std::string::npos);
}

TEST_CASE("run_log: metrics are indented JSON") {
  Folder folder;
  write_metrics(folder / "metrics.json", Json::object().set("a", 1));
  CHECK(read_file(folder / "metrics.json") == "{\n  \"a\": 1\n}\n");
}
