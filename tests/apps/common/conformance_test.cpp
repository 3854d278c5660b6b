#include "apps/common/conformance.h"

#include <doctest/doctest.h>

#include "apps/common/exit_codes.h"
#include "engine/error.h"
#include "engine/io/file.h"
#include "engine/ops.h"
#include "tests/support/temp_dir.h"

using namespace plumb;

namespace {

TensorMap twice(const Json& entry, const TensorMap& given) {
  if (entry.find("broken")) throw ValueError("asked to fail");
  return {{"y", given.at("x") * 2.0}};
}

void write_case(const plumb::test::TempDir& folder, int number) {
  save_safetensors(folder / (std::to_string(number) + ".in.safetensors"), {{"x", full({2}, number)}});
}

}  // namespace

TEST_CASE("run_cases: writes an output beside every input and leaves nothing else") {
  const plumb::test::TempDir folder;
  write_file_atomic(folder / "cases.json", R"([{"n": 3}, {"n": 5}])");
  write_case(folder, 3);
  write_case(folder, 5);
  CHECK(run_cases(folder.path().string(), "n", twice) == kExitDone);
  CHECK(load_safetensors(folder / "3.out.safetensors").at("y").to_vector<double>() == std::vector<double>{6, 6});
  CHECK(load_safetensors(folder / "5.out.safetensors").at("y").to_vector<double>() == std::vector<double>{10, 10});
  CHECK(folder.entries() == 5);
}

TEST_CASE("run_cases: a failing case is counted and the others go on") {
  const plumb::test::TempDir folder;
  write_file_atomic(folder / "cases.json", R"([{"n": 1, "broken": true}, {"n": 2}, {}])");
  write_case(folder, 1);
  write_case(folder, 2);
  CHECK(run_cases(folder.path().string(), "n", twice) == kExitUsage);
  CHECK(!std::filesystem::exists(folder / "1.out.safetensors"));
  CHECK(std::filesystem::exists(folder / "2.out.safetensors"));
}

TEST_CASE("run_cases: refuses a folder without a list of cases") {
  const plumb::test::TempDir folder;
  CHECK_THROWS_AS(run_cases(folder.path().string(), "n", twice), IoError);
  write_file_atomic(folder / "cases.json", "{}");
  CHECK_THROWS_AS(run_cases(folder.path().string(), "n", twice), ValueError);
}
