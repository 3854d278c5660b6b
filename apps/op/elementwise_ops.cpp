#include "apps/op/op_table.h"
#include "autograd/ops.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

template <Variable (*F)(const Variable&)>
Variable unary(OpCall& call) {
  return F(call.input(0));
}

template <Variable (*F)(const Variable&, const Variable&)>
Variable binary(OpCall& call) {
  return F(call.input(0), call.input(1));
}

// Comparisons and logic have no gradient: they run on plain tensors.
template <Tensor (*F)(const Tensor&, const Tensor&)>
Variable compare(OpCall& call) {
  return F(call.input(0).value(), call.input(1).value());
}

Variable run_pow(OpCall& call) {
  if (call.has("exponent")) return pow(call.input(0), call.number("exponent"));
  return pow(call.input(0), call.input(1));
}

Variable run_clamp(OpCall& call) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double low = call.number("min", -kInfinity), high = call.number("max", kInfinity);
  return clamp(call.input(0), {.min = low, .max = high});
}

Variable run_gelu(OpCall& call) {
  const std::string approximate = call.text("approximate", "none");
  require<ValueError>(approximate == "none" || approximate == "tanh", "gelu: approximate must be none or tanh ({})",
                      approximate);
  return gelu(call.input(0), approximate == "tanh" ? GeluForm::tanh : GeluForm::exact);
}

Variable run_where(OpCall& call) { return where(call.input(0).value(), call.input(1), call.input(2)); }

Variable run_logical_not(OpCall& call) { return logical_not(call.input(0).value()); }

DType dtype_from_name(const std::string& name) {
  for (DType dtype :
       {DType::f32, DType::f64, DType::bf16, DType::f16, DType::i64, DType::i32, DType::u8, DType::boolean})
    if (name == name_of(dtype)) return dtype;
  const std::pair<const char*, DType> torch_names[] = {
      {"float32", DType::f32}, {"float64", DType::f64}, {"bfloat16", DType::bf16}, {"float16", DType::f16},
      {"int64", DType::i64},   {"int32", DType::i32},   {"uint8", DType::u8}};
  for (const auto& [text, dtype] : torch_names)
    if (name == text) return dtype;
  raise<ValueError>("cast: dtype must be f32, f64, bf16, f16, i64, i32, u8 or bool ({})", name);
}

Variable run_cast(OpCall& call) { return to(call.input(0), dtype_from_name(call.text("dtype", "f32"))); }

}  // namespace

std::vector<OpEntry> elementwise_ops() {
  return {
      {"abs", "abs(x)", unary<abs>},
      {"add", "add(a, b)", binary<add>},
      {"cast", "cast(x; dtype)", run_cast},
      {"ceil", "ceil(x)", unary<ceil>},
      {"clamp", "clamp(x; min=None, max=None)", run_clamp},
      {"cos", "cos(x)", unary<cos>},
      {"div", "div(a, b)", binary<div>},
      {"eq", "eq(a, b)", compare<eq>},
      {"erf", "erf(x)", unary<erf>},
      {"exp", "exp(x)", unary<exp>},
      {"expm1", "expm1(x)", unary<expm1>},
      {"floor", "floor(x)", unary<floor>},
      {"ge", "ge(a, b)", compare<ge>},
      {"gelu", "gelu(x; approximate='none'|'tanh')", run_gelu},
      {"gt", "gt(a, b)", compare<gt>},
      {"le", "le(a, b)", compare<le>},
      {"log", "log(x)", unary<log>},
      {"log1p", "log1p(x)", unary<log1p>},
      {"logical_and", "logical_and(a, b)", compare<logical_and>},
      {"logical_not", "logical_not(x)", run_logical_not},
      {"logical_or", "logical_or(a, b)", compare<logical_or>},
      {"logsigmoid", "logsigmoid(x)", unary<logsigmoid>},
      {"lt", "lt(a, b)", compare<lt>},
      {"maximum", "maximum(a, b)", binary<maximum>},
      {"minimum", "minimum(a, b)", binary<minimum>},
      {"mish", "mish(x)", unary<mish>},
      {"mul", "mul(a, b)", binary<mul>},
      {"ne", "ne(a, b)", compare<ne>},
      {"neg", "neg(x)", unary<neg>},
      {"pow", "pow(x, exponent) or pow(x; exponent)", run_pow},
      {"quick_gelu", "quick_gelu(x)", unary<quick_gelu>},
      {"reciprocal", "reciprocal(x)", unary<reciprocal>},
      {"relu", "relu(x)", unary<relu>},
      {"round", "round(x)", unary<round>},
      {"rsqrt", "rsqrt(x)", unary<rsqrt>},
      {"sigmoid", "sigmoid(x)", unary<sigmoid>},
      {"sign", "sign(x)", unary<sign>},
      {"silu", "silu(x)", unary<silu>},
      {"sin", "sin(x)", unary<sin>},
      {"softplus", "softplus(x)", unary<softplus>},
      {"sqrt", "sqrt(x)", unary<sqrt>},
      {"square", "square(x)", unary<square>},
      {"sub", "sub(a, b)", binary<sub>},
      {"tanh", "tanh(x)", unary<tanh>},
      {"where", "where(condition, a, b)", run_where},
  };
}

}  // namespace plumb
