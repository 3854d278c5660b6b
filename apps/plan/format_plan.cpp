#include "apps/plan/make_plan.h"
#include "engine/format.h"

namespace plumb::plan {
namespace {

std::string line(std::string_view name, const std::string& text) { return fmt::format("{:<22}{}\n", name, text); }

std::string number(const Json& value) { return fmt::format("{:.4g}", value.as_number()); }

std::string bytes(const Json& value) {
  double amount = value.as_number();
  constexpr double kStep = 1024;
  size_t unit = 0;
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  while (amount >= kStep && unit + 1 < kUnits.size()) amount /= kStep, ++unit;
  return fmt::format("{:.4g} {}", amount, kUnits[unit]);
}

std::string shape_text(const Json& shape) {
  std::string text;
  for (const Json& size : shape.as_array()) text += fmt::format("{}{}", text.empty() ? "" : "x", size.as_integer());
  return text;
}

std::string format_batch(const Json& b) {
  return line("effective batch",
              fmt::format("{} = {} x {} x {} (batch x accumulation x devices)", b.at("effective").as_integer(),
                          b.at("train_batch_size").as_integer(), b.at("gradient_accumulation_steps").as_integer(),
                          b.at("devices").as_integer()));
}

std::string format_learning_rate(const Json& rate, const Json& batch) {
  const bool scaled = rate.at("scale_lr").as_bool();
  const char* mark = "  <- as published";
  std::string text = line("learning rate",
                          fmt::format("{} with --scale_lr: {} x {}{}", number(rate.at("with_scale_lr")),
                                      number(rate.at("base")), batch.at("effective").as_integer(), scaled ? mark : ""));
  text += line("", fmt::format("{} without{}", number(rate.at("without_scale_lr")), scaled ? "" : mark));
  if (!rate.at("papers_text").is_null())
    text += line("", fmt::format("{} in the papers' text: 2.048e-8 x 2000 / beta", number(rate.at("papers_text"))));
  return text;
}

std::string format_beta(const Json& beta) {
  if (beta.is_null()) return line("beta", "none");
  const bool halved = beta.at("factor").as_number() < 1;
  std::string text =
      line(halved ? "beta / (2 d)" : "beta / d",
           fmt::format("{} = {:.6g} over {} elements ({})", number(beta.at("strength")), beta.at("beta").as_number(),
                       beta.at("elements").as_integer(), shape_text(beta.at("shape"))));
  for (const Json& row : beta.at("equal_strength").as_array())
    text += line(
        "", fmt::format("beta {:<8.6g} is as strong at {}", row.at("beta").as_number(), shape_text(row.at("shape"))));
  return text;
}

std::string format_steps(const Json& steps) {
  const int64_t count = steps.at("steps").as_integer();
  if (count == 0) return line("steps", "not published; give --max_train_steps");
  std::string text = fmt::format("{}, {} of them warm-up; {} pairs", count, steps.at("warmup_steps").as_integer(),
                                 steps.at("pairs").as_integer());
  if (!steps.at("epochs").is_null())
    text += fmt::format(" = {} epochs of {}", number(steps.at("epochs")), steps.at("dataset_size").as_integer());
  return line("steps", text);
}

std::string format_forwards(const Json& f) {
  return line("forwards a pair", fmt::format("{} of the student, with backward; {} frozen, {} once the reference moved",
                                             number(f.at("student")), number(f.at("frozen")),
                                             number(f.at("frozen_after_reference_update"))));
}

std::string format_memory(const Json& m) {
  std::string text =
      line("memory, f32", fmt::format("{} between steps; {} parameters, {} trained", bytes(m.at("total")),
                                      m.at("parameters").as_integer(), m.at("trained").as_integer()));
  for (const char* part : {"weights", "gradients", "optimizer", "average", "initial", "moving"})
    if (m.at(part).as_integer() > 0) text += line("", fmt::format("{:<12}{}", part, bytes(m.at(part))));
  return text;
}

std::string format_pictures(const Json& pictures) {
  std::string text;
  const auto put = [&](const char* key, const char* title) {
    const Json& m = pictures.at(key);
    text +=
        line(title, fmt::format("about {}, activations {} of it", bytes(m.at("total")), bytes(m.at("activations"))));
  };
  put("training", "pictures: a step");
  put("training_checkpointed", "  with checkpointing");
  put("sampling", "  sampling");
  return text + line("  this machine", bytes(pictures.at("machine")));
}

}  // namespace

std::string format_plan(const Json& plan) {
  std::string text = line(
      "objective", fmt::format("{}, policy pair {}", plan.at("objective").as_string(), plan.at("policy").as_string()));
  text += format_batch(plan.at("batch")) + format_learning_rate(plan.at("learning_rate"), plan.at("batch"));
  text += format_beta(plan.at("beta")) + format_steps(plan.at("steps")) + format_forwards(plan.at("forwards"));
  if (const Json* memory = plan.find("memory")) text += format_memory(*memory);
  if (const Json* pictures = plan.find("pictures")) text += format_pictures(*pictures);
  if (const Json* measured = plan.find("measured"))
    text += line("one step, measured", fmt::format("peak {}, {} s; the run {} s", bytes(measured->at("peak_bytes")),
                                                   number(measured->at("step_s")), number(measured->at("run_s"))));
  return text;
}

}  // namespace plumb::plan
