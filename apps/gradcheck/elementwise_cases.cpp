#include "apps/gradcheck/op_cases.h"

namespace plumb {
namespace {

/// 0-d, one element, a vector, and three dimensions with a size 1 among them.
const Shape kShapes[] = {{}, {1}, {7}, {2, 1, 5}};

void add_unary(std::vector<OpCase>& cases, std::string_view op, Values values, std::string_view attributes = "") {
  for (const Shape& shape : kShapes) cases.push_back({op, {{values, shape}}, attributes});
}

/// Equal shapes, both sides broadcast, and a 0-d operand.
void add_binary(std::vector<OpCase>& cases, std::string_view op, Values a, Values b) {
  cases.push_back({op, {{a, {3, 4}}, {b, {3, 4}}}});
  cases.push_back({op, {{a, {2, 1, 3}}, {b, {4, 1}}}});
  cases.push_back({op, {{a, {}}, {b, {5}}}});
}

}  // namespace

std::vector<OpCase> elementwise_cases() {
  std::vector<OpCase> cases;
  for (const char* op : {"cos", "erf", "exp", "expm1", "gelu", "logsigmoid", "mish", "neg", "quick_gelu", "sigmoid",
                         "silu", "sin", "softplus", "square", "tanh"})
    add_unary(cases, op, Values::any);
  for (const char* op : {"log", "rsqrt", "sqrt"}) add_unary(cases, op, Values::positive);
  for (const char* op : {"abs", "ceil", "floor", "relu", "round", "sign"}) add_unary(cases, op, Values::off_grid);
  add_unary(cases, "log1p", Values::small);
  add_unary(cases, "reciprocal", Values::nonzero);
  add_unary(cases, "gelu", Values::any, R"({"approximate": "tanh"})");
  add_unary(cases, "cast", Values::any, R"({"dtype": "f64"})");
  add_unary(cases, "clamp", Values::off_grid, R"({"min": -1, "max": 0.5})");
  add_unary(cases, "clamp", Values::off_grid, R"({"max": 1})");
  add_unary(cases, "pow", Values::nonzero, R"({"exponent": 3})");
  add_unary(cases, "pow", Values::nonzero, R"({"exponent": -2})");
  add_unary(cases, "pow", Values::positive, R"({"exponent": 0.5})");
  add_binary(cases, "pow", Values::positive, Values::any);
  for (const char* op : {"add", "mul", "sub"}) add_binary(cases, op, Values::any, Values::any);
  add_binary(cases, "div", Values::any, Values::nonzero);
  for (const char* op : {"maximum", "minimum"}) add_binary(cases, op, Values::off_grid, Values::on_grid);
  cases.push_back({"where", {{Values::mask, {3, 4}}, {Values::any, {3, 4}}, {Values::any, {3, 4}}}});
  cases.push_back({"where", {{Values::mask, {3, 1}}, {Values::any, {4}}, {Values::any, {2, 1, 1}}}});
  return cases;
}

}  // namespace plumb
