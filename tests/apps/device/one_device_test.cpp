// An operand left on the CPU: refused by name before a kernel could follow its pointer.

#include <doctest/doctest.h>

#include "apps/op/op_table.h"
#include "apps/op/run_case.h"
#include "engine/error.h"
#include "engine/ops/elementwise/binary.h"
#include "tests/support/golden.h"
#include "tests/support/numeric.h"

namespace plumb {
namespace {

constexpr Device kDevice{DeviceType::cuda, 0};

/// The inputs of a case on the device, but for input `left`.
std::vector<Variable> inputs_but(const TensorMap& given, size_t left) {
  std::vector<Variable> inputs;
  for (size_t i = 0; given.contains(std::to_string(i)); ++i)
    inputs.push_back(Variable(given.at(std::to_string(i)).to(i == left ? kCpu : kDevice)));
  return inputs;
}

}  // namespace

TEST_CASE("op on a device: an operand that is somewhere else is an error of every op") {
  const test::Golden golden("ops");
  size_t refused = 0;
  for (const Json& entry : golden.cases()) {
    const TensorMap given = golden.tensors(std::to_string(entry.at("n").as_integer()) + ".in.");
    const size_t count = inputs_but(given, 99).size();
    CAPTURE(entry.at("op").as_string());
    CAPTURE(entry.at("attrs").dump());
    for (size_t left = 0; count > 1 && left < count; ++left) {
      OpCall call(entry.at("op").as_string(), inputs_but(given, left), entry.find("attrs"));
      CHECK_THROWS_AS(find_op(entry.at("op").as_string()).run(call), DeviceError);
      ++refused;
    }
  }
  CHECK(refused > 200);
  CHECK(test::message_of([] { add(zeros({2}, DType::f32, kDevice), zeros({2})); }) ==
        "add: operands must be on one device; f32[2] on cuda:0 and f32[2]");
}

}  // namespace plumb
