#include "apps/shapes/study/stages.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "tests/apps/shapes/study/read_lines.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using namespace plumb::study;

namespace {

/// A program that writes its words into a file, makes the folder behind --out, and exits with the code behind --code.
std::string write_program(const test::TempDir& dir) {
  const std::string path = (dir / "program").string();
  std::ofstream(path) << "#!/bin/sh\n"
                         "echo \"$@\" >> " +
                             (dir / "calls").string() +
                             "\ncode=0\n"
                             "while [ $# -gt 0 ]; do\n"
                             "  [ \"$1\" = --out ] && mkdir -p \"$2\"\n"
                             "  [ \"$1\" = --code ] && code=$2\n"
                             "  shift\n"
                             "done\n"
                             "exit $code\n";
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

int64_t calls(const test::TempDir& dir) {
  std::ifstream file(dir / "calls");
  int64_t count = 0;
  for (std::string line; std::getline(file, line);) ++count;
  return count;
}

}  // namespace

TEST_CASE("a stage runs once, is remembered by a later study, and runs again when its command is another") {
  const test::TempDir dir;
  const std::string program = write_program(dir);
  for (const int64_t expected : {1, 1}) {
    const OutputDir out((dir / "out").string());
    Stages stages(out, {.program = program, .quiet = true});
    CHECK(stages.run("rows/a", "align", {"--beta_dpo", "10"}) == StageEnd::done);
    CHECK(stages.run("rows/a", "align", {"--beta_dpo", "10"}) == StageEnd::done);
    CHECK(calls(dir) == expected);
    CHECK(std::filesystem::exists(stages.path("rows/a")));
  }
  const OutputDir out((dir / "out").string());
  Stages stages(out, {.program = program, .quiet = true});
  std::ofstream(stages.path("rows/a") + "/old") << "of the other command";
  stages.run("rows/a", "align", {"--beta_dpo", "20"});
  CHECK(calls(dir) == 2);
  CHECK_FALSE(std::filesystem::exists(stages.path("rows/a") + "/old"));
  const std::vector<Json> lines = test::read_lines(stages.path("stages.jsonl"));
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].at("command").as_string() == "plumb align --beta_dpo 20 --out " + stages.path("rows/a"));
}

TEST_CASE("a health rule ends a stage, any other code the study") {
  const test::TempDir dir;
  const OutputDir out((dir / "out").string());
  Stages stages(out, {.program = write_program(dir), .quiet = true});
  CHECK(stages.run("a", "align", {"--code", "3"}) == StageEnd::unhealthy);
  CHECK(stages.run("a", "align", {"--code", "3"}) == StageEnd::unhealthy);
  CHECK(calls(dir) == 1);
  try {
    stages.run("b", "align", {"--code", "130"});
    FAIL("the study goes on after a signal");
  } catch (const StageStopped& stopped) {
    CHECK(stopped.code == 130);
  }
  CHECK_THROWS_AS(stages.run("b", "align", {"--code", "130"}), StageStopped);
  CHECK(calls(dir) == 3);
}

TEST_CASE("commands that run several at a time share the cores") {
  const test::TempDir dir;
  const OutputDir out((dir / "out").string());
  Stages stages(out,
                {.program = write_program(dir), .words = {"--device", "cpu"}, .jobs = 2, .threads = 8, .quiet = true});
  stages.run("a", "sample", {});
  stages.run_alone(false);
  stages.run("b", "sample", {});
  std::ifstream file(dir / "calls");
  std::string alone, shared;
  std::getline(file, alone);
  std::getline(file, shared);
  CHECK(alone == "sample --out " + stages.path("a") + " --device cpu --threads 8");
  CHECK(shared == "sample --out " + stages.path("b") + " --device cpu --threads 4");
}

TEST_CASE("a command line is quoted where a shell needs it") {
  CHECK(command_line("sample", {"--prompt", "a red circle", "--seed", "1"}) ==
        "plumb sample --prompt 'a red circle' --seed 1");
}
