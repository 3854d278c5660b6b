#include "tests/apps/op/large_cases.h"

#include <algorithm>

#include "apps/op/op_table.h"
#include "apps/op/run_case.h"
#include "engine/format.h"
#include "engine/ops/random/random.h"
#include "tests/support/numeric.h"

namespace plumb::test {
namespace {

constexpr Values kAny = Values::any, kPositive = Values::positive, kNonzero = Values::nonzero, kIndex = Values::index;

/// 105,033 elements: three chunks and a rest.
const Shape kLarge{3, 35011};

void add_elementwise(std::vector<OpCase>& cases) {
  for (const char* op : {"abs", "ceil", "cos", "erf", "exp", "expm1", "floor", "gelu", "logsigmoid", "neg", "relu",
                         "round", "sigmoid", "sign", "silu", "sin", "softplus", "square", "tanh"})
    cases.push_back({op, {{kAny, kLarge}}});
  cases.push_back({"gelu", {{kAny, kLarge}}, R"({"approximate": "tanh"})"});
  for (const char* op : {"log", "log1p", "reciprocal", "rsqrt", "sqrt"}) cases.push_back({op, {{kPositive, kLarge}}});
  for (const char* op : {"add", "div", "maximum", "minimum", "mul", "sub"}) {
    cases.push_back({op, {{kAny, kLarge}, {kNonzero, kLarge}}});
    cases.push_back({op, {{kAny, {301, 1, 353}}, {kNonzero, {7, 1}}}});  // the gradient of the second is a long sum
  }
  for (const char* op : {"eq", "ne", "lt", "le", "gt", "ge"})
    cases.push_back({op, {{Values::on_grid, kLarge}, {Values::on_grid, kLarge}}});
  for (const char* op : {"logical_and", "logical_or"})
    cases.push_back({op, {{Values::mask, kLarge}, {Values::mask, kLarge}}});
  cases.push_back({"logical_not", {{Values::mask, kLarge}}});
  cases.push_back({"pow", {{kPositive, kLarge}, {kAny, kLarge}}});
  cases.push_back({"pow", {{kPositive, kLarge}}, R"({"exponent": 2.5})"});
  cases.push_back({"clamp", {{kAny, kLarge}}, R"({"min": -0.5, "max": 1})"});
  cases.push_back({"where", {{Values::mask, kLarge}, {kAny, kLarge}, {kAny, {35011}}}});
  cases.push_back({"cast", {{kAny, kLarge}}, R"({"dtype": "bf16"})"});
  cases.push_back({"geglu", {{kAny, {501, 2 * 211}}}});
}

void add_reductions(std::vector<OpCase>& cases) {
  for (const char* op : {"sum", "mean", "max", "min", "logsumexp", "var", "std", "prod"}) {
    cases.push_back({op, {{kAny, kLarge}}});
    cases.push_back({op, {{kAny, {37, 53, 59}}}, R"({"dim": [1]})"});
    cases.push_back({op, {{kAny, {37, 53, 59}}}, R"({"dim": [0, 2]})"});
    cases.push_back({op, {{kAny, {3, 35011}}}, R"({"dim": [1]})"});
  }
  for (const char* op : {"argmax", "argmin"}) {
    cases.push_back({op, {{kAny, kLarge}}});
    cases.push_back({op, {{kAny, {37, 53, 59}}}, R"({"dim": 1})"});
  }
  for (const char* op : {"all", "any"}) {
    cases.push_back({op, {{Values::mask, kLarge}}});
    cases.push_back({op, {{Values::mask, {37, 53, 59}}}, R"({"dim": [1]})"});
  }
  for (const char* op : {"softmax", "log_softmax"}) {
    cases.push_back({op, {{kAny, {1009, 103}}}});
    cases.push_back({op, {{kAny, {37, 53, 59}}}, R"({"dim": 1})"});
    cases.push_back({op, {{kAny, {2, 70001}}}});
  }
  cases.push_back({"cumsum", {{kAny, {37, 53, 59}}}, R"({"dim": 1})"});
  cases.push_back({"cumsum", {{kAny, {3, 35011}}}, R"({"dim": 1})"});
  for (const char* reduction : {R"({"reduction": "mean"})", R"({"reduction": "sum"})", R"({"reduction": "none"})"})
    cases.push_back({"mse", {{kAny, kLarge}, {kAny, kLarge}}, reduction});
  cases.push_back({"sample_error", {{kAny, {37, 3001}}, {kAny, {37, 3001}}}});
  cases.push_back({"sample_error", {{kAny, kLarge}, {kAny, kLarge}}});
  cases.push_back({"error_gain", {{kAny, {37, 3001}}, {kAny, {37, 3001}}, {kAny, {37, 3001}}}});
}

void add_norms(std::vector<OpCase>& cases) {
  cases.push_back({"layer_norm", {{kAny, {1009, 103}}, {kAny, {103}}, {kAny, {103}}}});
  cases.push_back({"layer_norm", {{kAny, {3, 35011}}, {kAny, {35011}}, {kAny, {35011}}}});
  cases.push_back({"rms_norm", {{kAny, {1009, 103}}, {kAny, {103}}}});
  for (const char* attributes :
       {R"({"num_groups": 4})", R"({"num_groups": 4, "silu": true})", R"({"num_groups": 1})"}) {
    cases.push_back({"group_norm", {{kAny, {3, 36, 31, 33}}, {kAny, {36}}, {kAny, {36}}}, attributes});
    cases.push_back({"group_norm", {{kAny, {37, 12, 307}}, {kAny, {12}}, {kAny, {12}}}, attributes});
  }
}

void add_products(std::vector<OpCase>& cases) {
  cases.push_back({"matmul", {{kAny, {517, 131}}, {kAny, {131, 263}}}});
  cases.push_back({"matmul", {{kAny, {3, 2, 97, 61}}, {kAny, {2, 61, 83}}}});
  cases.push_back({"matmul", {{kAny, {3, 20011}}, {kAny, {20011, 5}}}});
  cases.push_back({"matmul", {{kAny, {3001, 37}}, {kAny, {37}}}});
  cases.push_back({"linear", {{kAny, {1031, 67}}, {kAny, {129, 67}}, {kAny, {129}}}});
  for (const char* attributes : {R"({"activation": "silu"})", R"({"activation": "gelu"})"})
    cases.push_back({"linear_act", {{kAny, {1031, 67}}, {kAny, {129, 67}}, {kAny, {129}}}, attributes});
  cases.push_back({"linear", {{kAny, {4099, 33}}, {kAny, {2, 33}}, {kAny, {2}}}});
  cases.push_back({"attention", {{kAny, {2, 3, 203, 40}}, {kAny, {2, 3, 531, 40}}, {kAny, {2, 3, 531, 24}}}});
  cases.push_back(
      {"attention", {{kAny, {3, 301, 32}}, {kAny, {3, 301, 32}}, {kAny, {3, 301, 32}}}, R"({"causal": true})"});
  cases.push_back(
      {"linear_attention", {{kPositive, {2, 3, 203, 24}}, {kPositive, {2, 3, 531, 24}}, {kAny, {2, 3, 531, 40}}}});
  const InputSpec weight{kAny, {36, 32, 3, 3}}, bias{kAny, {36}};
  cases.push_back({"conv2d", {{kAny, {3, 32, 27, 29}}, weight, bias}, R"({"padding": 1})"});
  cases.push_back({"conv2d", {{kAny, {3, 32, 27, 29}}, weight, bias}, R"({"padding": 1, "stride": 2})"});
  cases.push_back({"conv2d", {{kAny, {2, 64, 33, 31}}, {kAny, {64, 64, 3, 3}}, {kAny, {64}}}, R"({"padding": 1})"});
  cases.push_back({"conv2d", {{kAny, {3, 32, 27, 29}}, {kAny, {16, 32, 1, 1}}}});
  cases.push_back(
      {"conv2d", {{kAny, {2, 64, 23, 29}}, {kAny, {64, 1, 3, 3}}, {kAny, {64}}}, R"({"padding": 1, "groups": 64})"});
  cases.push_back(
      {"conv2d", {{kAny, {2, 32, 23, 29}}, {kAny, {24, 8, 5, 3}}}, R"({"padding": 2, "dilation": 2, "groups": 4})"});
}

void add_layout(std::vector<OpCase>& cases) {
  const InputSpec cube{kAny, {37, 53, 59}};
  cases.push_back({"cat", {cube, {kAny, {37, 3, 59}}, cube}, R"({"dim": 1})"});
  cases.push_back({"stack", {cube, cube}, R"({"dim": 1})"});
  cases.push_back({"expand", {{kAny, {37, 1, 59}}}, R"({"shape": [5, 37, 53, 59]})"});
  cases.push_back({"flip", {cube}, R"({"dims": [0, 2]})"});
  cases.push_back({"pad", {cube}, R"({"pad": [1, 2, -3, 4], "value": 3})"});
  cases.push_back({"permute", {cube}, R"({"dims": [2, 0, 1]})"});
  cases.push_back({"reshape", {cube}, R"({"shape": [53, -1]})"});
  cases.push_back({"roll", {cube}, R"({"shift": [-7], "dim": [1]})"});
  cases.push_back({"select", {cube}, R"({"dim": 1, "index": -1})"});
  cases.push_back({"slice", {cube}, R"({"dim": 1, "start": 1, "end": 50, "step": 2})"});
  cases.push_back({"squeeze", {{kAny, {37, 1, 53, 59}}}});
  cases.push_back({"transpose", {cube}, R"({"dim0": 0, "dim1": 2})"});
  cases.push_back({"unsqueeze", {cube}, R"({"dim": 1})"});
  const InputSpec picture{kAny, {3, 5, 43, 37}};
  cases.push_back({"avg_pool2d", {{kAny, {3, 7, 83, 71}}}, R"({"kernel": 3, "stride": 2, "padding": 1})"});
  cases.push_back({"upsample_nearest", {picture}, R"({"scale": 3})"});
  for (const char* op : {"interpolate_area", "interpolate_bilinear", "interpolate_nearest"})
    cases.push_back({op, {picture}, R"({"size": [71, 90]})"});
  cases.push_back({"pixel_shuffle", {{kAny, {3, 36, 31, 33}}}, R"({"upscale": 3})"});
  cases.push_back({"pixel_unshuffle", {{kAny, {3, 5, 62, 64}}}, R"({"downscale": 2})"});
  cases.push_back({"embedding", {{kIndex, {2003}, 31}, {kAny, {31, 67}}}});
  cases.push_back({"gather", {{kAny, {37, 53, 59}}, {kIndex, {37, 61, 59}, 53}}, R"({"dim": 1})"});
  cases.push_back({"index_select", {{kAny, {37, 53, 59}}, {kIndex, {71}, 53}}, R"({"dim": 1})"});
  cases.push_back(
      {"scatter_add", {{kAny, {37, 53, 59}}, {kIndex, {37, 71, 59}, 53}, {kAny, {37, 71, 59}}}, R"({"dim": 1})"});
}

/// An elementwise op needs no line here: the first of its cases for gradcheck, made large.
std::vector<OpCase> enlarged(std::string_view op) {
  for (OpCase& item : cases_of(op)) {
    const Shape shape = item.inputs.front().shape;
    if (!item.attributes.empty() || shape.empty()) continue;
    if (!std::all_of(item.inputs.begin(), item.inputs.end(), [&](const InputSpec& in) { return in.shape == shape; }))
      continue;
    for (InputSpec& input : item.inputs) input.shape = kLarge;
    return {item};
  }
  return {};
}

Tensor laid_out(const Tensor& x, Layout layout) {
  if (layout == Layout::reversed && x.rank() > 1) return reversed_memory(x);
  return layout == Layout::channels_last && x.rank() == 4 ? channels_last(x) : x;
}

RandomKey key_of(const OpCase& item) { return RandomKey{.seed = 5}.fork(item.op).fork(item.attributes); }

}  // namespace

std::vector<OpCase> large_cases(std::string_view op) {
  static const std::vector<OpCase> all = [] {
    std::vector<OpCase> list;
    for (auto add : {add_elementwise, add_reductions, add_norms, add_products, add_layout}) add(list);
    return list;
  }();
  std::vector<OpCase> found;
  std::copy_if(all.begin(), all.end(), std::back_inserter(found), [&](const OpCase& item) { return item.op == op; });
  return found.empty() ? enlarged(op) : found;
}

TensorMap large_inputs(const OpCase& item, DType dtype, Layout layout) {
  TensorMap inputs;
  for (size_t i = 0; i < item.inputs.size(); ++i) {
    const Tensor x = make_input(item.inputs[i], key_of(item).fork(std::to_string(i)));
    const Tensor typed = is_floating(x.dtype()) ? x.to(dtype) : x;
    inputs[std::to_string(i)] = laid_out(typed, layout);
  }
  if (has_no_gradient(item.op)) return inputs;
  const Tensor out = run_large(item, inputs).at("out0");
  inputs["g0"] = randn(key_of(item).fork("g0"), out.shape(), out.dtype());
  return inputs;
}

TensorMap run_large(const OpCase& item, const TensorMap& inputs) {
  const Json attributes = item.attributes.empty() ? Json::object() : Json::parse(item.attributes);
  return run_op_case(find_op(item.op), &attributes, inputs.contains("g0"), inputs);
}

bool has_picture(const OpCase& item) {
  return std::any_of(item.inputs.begin(), item.inputs.end(), [](const InputSpec& in) { return in.shape.rank() == 4; });
}

std::string title_of(const OpCase& item, DType dtype, Layout layout) {
  std::string title = fmt::format("{} {} {}", item.op, dtype, item.attributes);
  for (const InputSpec& input : item.inputs) title += fmt::format(" {}", input.shape);
  return title + (layout == Layout::reversed ? " reversed" : layout == Layout::channels_last ? " channels-last" : "");
}

}  // namespace plumb::test
