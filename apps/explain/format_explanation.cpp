#include "apps/explain/explain_pair.h"
#include "engine/format.h"

namespace plumb {
namespace {

constexpr size_t kMostShown = 4;  // of a point's coordinates

std::string number(const Json& value) { return value.is_null() ? "-" : fmt::format("{:.6g}", value.as_number()); }

std::string point(const Json& values) {
  if (values.is_null()) return "-";
  std::string text;
  for (size_t i = 0; i < values.size() && i < kMostShown; ++i)
    text += fmt::format("{}{:>9.5f}", text.empty() ? "" : " ", values[i].as_number());
  return values.size() > kMostShown ? text + " ..." : text;
}

std::string row(std::string_view name, const std::string& winner, const std::string& loser, std::string_view formula) {
  std::string text = fmt::format("{:<14} {:<22} {:<22} {}", name, winner, loser, formula);
  text.erase(text.find_last_not_of(' ') + 1);
  return text + "\n";
}

std::string points_row(const Json& e, const char* key, std::string_view formula) {
  const Json& sides = e.at(key);
  if (sides.is_null()) return "";
  return row(key, point(sides.at("winner")), point(sides.at("loser")), formula);
}

std::string values_row(const Json& sides, std::string_view name, std::string_view formula) {
  if (sides.is_null()) return "";
  return row(name, number(sides.at("winner")), number(sides.at("loser")), formula);
}

std::string list_row(const Json& values, std::string_view name, std::string_view formula) {
  if (values.is_null()) return "";
  return row(name, number(values[0]), values.size() > 1 ? number(values[1]) : "", formula);
}

std::string target_formula(const std::string& policy, bool pairs) {
  if (policy == "training_free" && pairs) return "initial(xw_t, t, c) and initial(xl_t, t, c-)";
  if (policy == "oracle" && pairs) return "exact noise of c's mode and of c-'s";
  if (policy == "data_driven" && pairs) return "adapter trained on winners, and on losers";
  return "what the forward process asks for";
}

std::string logit_formula(const std::string& objective) {
  if (objective == "diffusion_kto") return "z = s beta (rw - ew - k), s = 1 and -1";
  if (objective == "mapo") return "z = T (phi(ew) - phi(el)), phi(e) = (e/2) / expm1(e/2)";
  if (objective.starts_with("dspo") && objective != "dspo_xl") return "z = -(temperature / 2) m";
  return "z = -(beta / 2) m";
}

std::string format_gradient(const Json& g) {
  std::string text = row("|gradient|", number(g.at("total")), "", "of the loss with respect to the trained weights");
  if (!g.at("winner").is_null()) {
    const std::string cosine = g.at("cosine").is_null() ? "" : fmt::format("; cosine {}", number(g.at("cosine")));
    text += row("  through", number(g.at("winner")), number(g.at("loser")), "one prediction alone" + cosine);
  }
  if (!g.at("denoising").is_null()) {
    text += row("  denoising", number(g.at("denoising")), "", "of the term mean(ew)");
    text += row("  preference", number(g.at("preference")), "", "of the term -log sigmoid(z)");
  }
  return text;
}

std::string header(const Json& e) {
  std::string options;
  for (const JsonMember& member : e.at("settings").as_object())
    options += fmt::format(", {} = {}", member.key, member.value.as_string());
  std::string text =
      fmt::format("{}, policy pair {}{}\n", e.at("objective").as_string(), e.at("policy").as_string(), options);
  text += fmt::format("pair {} of {}", e.at("pair").as_integer(), e.at("pairs").as_integer());
  if (!e.at("c").is_null()) text += fmt::format(", c = {}", e.at("c").as_integer());
  if (!e.at("c_minus").is_null()) text += fmt::format(", c- = {}", e.at("c_minus").as_integer());
  return text + fmt::format(", t = {} of {}, abar_t = {:.6g}\n", e.at("t").as_integer(),
                            e.at("num_train_timesteps").as_integer(), e.at("abar").as_number());
}

}  // namespace

std::string format_explanation(const Json& e) {
  const std::string& objective = e.at("objective").as_string();
  const bool pairs = !e.at("x0").at("loser").is_null();
  std::string text = header(e) + row("", "winner", pairs ? "loser" : "", "");
  text += points_row(e, "x0", "") + points_row(e, "noise", "eps ~ N(0, 1)");
  text += points_row(e, "x_t", "sqrt(abar_t) x0 + sqrt(1 - abar_t) eps");
  text +=
      points_row(e, "student", "prediction at (x_t, t, c)") + points_row(e, "reference", "prediction at (x_t, t, c)");
  text += points_row(e, "target", target_formula(e.at("policy").as_string(), pairs));
  text += values_row(e.at("error"), "error", "ew, el: of the student against the target");
  text += values_row(e.at("ref_error"), "ref_error", "rw, rl: of the reference");
  if (!e.at("margin").is_null()) text += row("margin", number(e.at("margin")), "", "m = (ew - el) - (rw - rl)");
  if (!e.at("offset").is_null()) text += row("offset", number(e.at("offset")), "", "k, what a sample is compared with");
  if (!e.at("logit_scale").is_null()) text += row("logit_scale", number(e.at("logit_scale")), "", "multiplies z");
  text += list_row(e.at("logit"), "logit", logit_formula(objective));
  text += list_row(e.at("weight"), "weight", "1 - sigmoid(z): how much of the largest gradient is left");
  text += row("loss", number(e.at("loss")), "", "") + format_gradient(e.at("gradient"));
  if (!e.at("warning").is_null()) text += "warning: " + e.at("warning").as_string() + "\n";
  return text;
}

}  // namespace plumb
