#include "apps/gradcheck/op_cases.h"

namespace plumb {
namespace {

/// Everything to one number; one dimension of three; two of them, kept.
void add_reduction(std::vector<OpCase>& cases, std::string_view op, Values values) {
  cases.push_back({op, {{values, {6}}}});
  cases.push_back({op, {{values, {2, 3, 4}}}, R"({"dim": [1]})"});
  cases.push_back({op, {{values, {2, 3, 4}}}, R"({"dim": [0, -1], "keepdim": true})"});
}

/// Along the last dimension, the middle one, and over a single element.
void add_along(std::vector<OpCase>& cases, std::string_view op) {
  cases.push_back({op, {{Values::any, {3, 5}}}, R"({"dim": -1})"});
  cases.push_back({op, {{Values::any, {2, 4, 3}}}, R"({"dim": 1})"});
  cases.push_back({op, {{Values::any, {4, 1}}}, R"({"dim": 1})"});
}

}  // namespace

std::vector<OpCase> reduce_cases() {
  std::vector<OpCase> cases;
  for (const char* op : {"logsumexp", "mean", "sum"}) add_reduction(cases, op, Values::any);
  for (const char* op : {"max", "min"}) add_reduction(cases, op, Values::distinct);
  add_reduction(cases, "prod", Values::nonzero);
  for (const char* op : {"std", "var"}) {
    add_reduction(cases, op, Values::distinct);  // the deviation is nowhere near 0, where its root has a kink
    cases.push_back({op, {{Values::distinct, {3, 4}}}, R"({"dim": [0], "correction": 0})"});
  }
  for (const char* op : {"cumsum", "log_softmax", "softmax"}) add_along(cases, op);
  cases.push_back({"layer_norm", {{Values::distinct, {3, 6}}}});
  cases.push_back({"layer_norm", {{Values::distinct, {2, 2, 5}}, {Values::any, {5}}, {Values::any, {5}}}});
  cases.push_back({"layer_norm",
                   {{Values::distinct, {2, 3, 4}}, {Values::any, {3, 4}}, {Values::any, {3, 4}}},
                   R"({"normalized_shape": [3, 4], "eps": 0.001})"});
  for (const char* op : {"mse", "sample_error"}) {
    cases.push_back({op, {{Values::any, {3, 4}}, {Values::any, {3, 4}}}});
    cases.push_back({op, {{Values::any, {2, 3, 2}}, {Values::any, {2, 3, 2}}}, R"({"reduction": "sum"})"});
  }
  cases.push_back({"mse", {{Values::any, {5}}, {Values::any, {5}}}, R"({"reduction": "none"})"});
  for (const char* attributes : {"", R"({"reduction": "sum"})"})
    cases.push_back(
        {"error_gain", {{Values::any, {3, 2, 2}}, {Values::any, {3, 2, 2}}, {Values::any, {3, 2, 2}}}, attributes});
  return cases;
}

}  // namespace plumb
