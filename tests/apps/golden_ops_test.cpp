// Every op of the conformance contract against torch: values and gradients; see tests/golden/README.md.

#include <doctest/doctest.h>

#include <limits>

#include "apps/op/run_case.h"
#include "tests/support/golden.h"

using namespace plumb;

TEST_CASE("op: every golden case agrees with torch, gradients included") {
  const plumb::test::Golden golden("ops");
  REQUIRE(golden.cases().size() == 388);
  size_t compared = 0;
  for (const Json& entry : golden.cases()) {
    const std::string number = std::to_string(entry.at("n").as_integer());
    const TensorMap expected = golden.tensors(number + ".out.");
    CAPTURE(number);
    CAPTURE(entry.at("op").as_string());
    CAPTURE(entry.at("attrs").dump());
    REQUIRE(expected.contains("out0"));
    const TensorMap got = run_op_entry(entry, golden.tensors(number + ".in."));
    CHECK(plumb::test::disagreement(got, expected, entry.at("tolerance"), false) == "");
    compared += expected.size();
  }
  CHECK(compared == 794);  // values and gradients
}

TEST_CASE("golden: the comparison refuses NaN, infinity, another type, another shape, absent and surplus outputs") {
  using plumb::test::disagreement;
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();
  auto tensor = [](float a, float b) { return from_vector<float>({a, b}, {2}); };
  CHECK(disagreement(tensor(1, 2.01f), tensor(1, 2), {0.1, 0}) == "");
  CHECK(disagreement(tensor(1, 2.01f), tensor(1, 2), {0, 0.1}) == "");
  CHECK(disagreement(tensor(kNan, kInfinity), tensor(kNan, kInfinity), {}) == "");
  CHECK(disagreement(tensor(1, 2.5f), tensor(1, 2), {0.25, 0}) ==
        "1 of 2 elements are outside 0.25 + 0 relative; worst at 1: 2.5, expected 2");
  CHECK(disagreement(tensor(1, kNan), tensor(1, 2), {1e9, 1e9}) != "");
  CHECK(disagreement(tensor(1, 2), tensor(1, kNan), {1e9, 1e9}) != "");
  CHECK(disagreement(tensor(1, 2), tensor(1, kInfinity), {1e9, 1e9}) != "");
  CHECK(disagreement(tensor(1, kInfinity), tensor(1, 2), {1e9, 1e9}) != "");
  CHECK(disagreement(tensor(1, 2), tensor(1, 2).to(DType::f64), {}) == "is f32[2], expected f64[2]");
  CHECK(disagreement(tensor(1, 2), scalar(1), {}) == "is f32[2], expected f32[]");
  const Json tolerances = Json::parse(R"({"a": [0, 0]})", "test");
  const TensorMap one = {{"a", tensor(1, 2)}}, two = {{"a", tensor(1, 2)}, {"b", tensor(1, 2)}};
  CHECK(disagreement(one, one, tolerances, false) == "");
  CHECK(disagreement(TensorMap(), one, tolerances, true) == "a is missing; ");
  CHECK(disagreement(two, one, tolerances, false) == "b is not expected; ");
  CHECK(disagreement(two, one, tolerances, true) == "");
}

TEST_CASE("op: mse of 16-bit input answers in that type, sample_error in f32") {
  const TensorMap given = {
      {"0", full({2, 3}, 1, DType::bf16)}, {"1", full({2, 3}, 3, DType::bf16)}, {"g0", full({}, 1, DType::bf16)}};
  for (const char* reduction : {"mean", "sum"}) {
    const Json attributes = Json::object().set("reduction", reduction);
    const TensorMap out = run_op_case(find_op("mse"), &attributes, true, given);
    CHECK(out.at("out0").dtype() == DType::bf16);
    CHECK(out.at("grad0").dtype() == DType::bf16);
  }
  CHECK(run_op_case(find_op("mse"), nullptr, true, given).at("out0").item() == 4);
  CHECK(run_op_case(find_op("sample_error"), nullptr, false, given).at("out0").dtype() == DType::f32);
}
