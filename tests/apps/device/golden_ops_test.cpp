// Every op of the conformance contract on a device: the kernels' results against torch, and that nothing above them
// touches device memory.

#include <doctest/doctest.h>

#include "apps/op/run_case.h"
#include "engine/error.h"
#include "tests/support/golden.h"

namespace plumb {

TEST_CASE("op on a device: every golden case agrees with torch, gradients included") {
  const test::Golden golden("ops");
  REQUIRE(golden.cases().size() == 388);
  for (const Json& entry : golden.cases()) {
    const std::string number = std::to_string(entry.at("n").as_integer());
    CAPTURE(number);
    CAPTURE(entry.at("op").as_string());
    CAPTURE(entry.at("attrs").dump());
    try {
      const TensorMap got = run_op_entry(entry, golden.tensors(number + ".in."), {DeviceType::cuda, 0});
      CHECK(test::disagreement(got, golden.tensors(number + ".out."), entry.at("tolerance"), false) == "");
    } catch (const Error& error) {  // the others run all the same
      FAIL_CHECK(error.what());
    }
  }
}

}  // namespace plumb
