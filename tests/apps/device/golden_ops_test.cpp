// Every op of the conformance contract on the emulated device: the kernels' results against torch, and that nothing
// above them touches device memory.

#include <doctest/doctest.h>

#include <algorithm>

#include "apps/op/run_case.h"
#include "engine/backend.h"
#include "engine/error.h"
#include "tests/support/golden.h"

namespace plumb {
namespace {

/// Whether this is what cpu_only says of an op on the list.
bool is_cpu_only(const std::string& message) {
  const std::span<const std::string_view> ops = cpu_only_ops();
  return message.find(": has no CUDA kernel yet") != std::string::npos &&
         std::find(ops.begin(), ops.end(), message.substr(0, message.find(':'))) != ops.end();
}

}  // namespace

TEST_CASE("op on a device: every golden case agrees with torch, gradients included") {
  const test::Golden golden("ops");
  size_t compared = 0, without_kernel = 0;
  for (const Json& entry : golden.cases()) {
    const std::string number = std::to_string(entry.at("n").as_integer());
    CAPTURE(number);
    CAPTURE(entry.at("op").as_string());
    CAPTURE(entry.at("attrs").dump());
    TensorMap got;
    try {
      got = run_op_entry(entry, golden.tensors(number + ".in."), {DeviceType::cuda, 0});
    } catch (const DeviceError& error) {
      CHECK_MESSAGE(is_cpu_only(error.what()), error.what());
      ++without_kernel;
      continue;
    } catch (const Error& error) {
      FAIL_CHECK(error.what());
      continue;
    }
    CHECK(test::disagreement(got, golden.tensors(number + ".out."), entry.at("tolerance"), false) == "");
    ++compared;
  }
  MESSAGE(compared, " cases agree or were told of, ", without_kernel, " have no kernel");
  CHECK(compared > 250);
}

}  // namespace plumb
