#include <fmt/format.h>

#include <algorithm>

#include "apps/common/run_guarded.h"
#include "apps/inspect/describe.h"
#include "apps/inspect/describe_pictures.h"

namespace plumb {
std::string grouped(int64_t value) {
  const std::string digits = std::to_string(value);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

namespace {

std::string shape_text(const Json& shape) {
  std::string text;
  for (const Json& size : shape.as_array()) text += (text.empty() ? "" : ", ") + std::to_string(size.as_integer());
  return "[" + text + "]";
}

std::string tensor_table(const Json& file, int indent) {
  size_t widest = 0, shapes = 0;
  for (const Json& tensor : file.at("tensors").as_array()) {
    widest = std::max(widest, tensor.at("name").as_string().size());
    shapes = std::max(shapes, shape_text(tensor.at("shape")).size());
  }
  std::string text;
  for (const Json& tensor : file.at("tensors").as_array())
    text += fmt::format("{:{}}{:<{}}  {:<4}  {:<{}}  {:>12}\n", "", indent, one_line(tensor.at("name").as_string()),
                        widest, tensor.at("dtype").as_string(), shape_text(tensor.at("shape")), shapes,
                        grouped(tensor.at("elements").as_integer()));
  return text;
}

std::string sizes(const Json& file) {
  return fmt::format("{} tensors, {} elements, {} bytes", grouped(file.at("count").as_integer()),
                     grouped(file.at("elements").as_integer()), grouped(file.at("bytes").as_integer()));
}

/// The last part of a path.
std::string base_name(const Json& file) { return std::filesystem::path(file.at("path").as_string()).filename(); }

std::string format_file(const Json& file, bool all) {
  std::string text = fmt::format("safetensors: {}\n", sizes(file));
  for (const JsonMember& member : file.at("metadata").as_object())
    text += fmt::format("metadata: {} = {}\n", one_line(member.key), one_line(member.value.as_string()));
  const Json* pictures = file.find("pictures");
  if (!pictures) return text + tensor_table(file, 2);
  return text + "model of Stable Diffusion in a single file\n" + format_picture_model(*pictures) +
         (all ? tensor_table(file, 2) : "");
}

std::string format_inner(const Json& file, bool all) {
  std::string text = fmt::format("  {}: {}\n", base_name(file), sizes(file));
  return all ? text + tensor_table(file, 4) : text;
}

std::string format_checkpoint(const Json& checkpoint, bool all) {
  std::string text = fmt::format("{}: checkpoint of step {}, whole (every hash agrees)\n", base_name(checkpoint),
                                 grouped(checkpoint.at("step").as_integer()));
  for (const Json& file : checkpoint.at("files").as_array()) text += format_inner(file, all);
  return text;
}

std::string format_adapter(const Json& adapter, bool all) {
  const auto field = [&](const char* key) {
    const Json* value = adapter.at("config").find(key);
    return value ? one_line(value->dump()) : "not given";
  };
  std::string text =
      fmt::format("{}: low-rank adapter, rank {}, alpha {}{}\n", base_name(adapter), field("r"), field("lora_alpha"),
                  adapter.at("verified").as_bool() ? ", whole (every hash agrees)" : ", no manifest");
  for (const Json& file : adapter.at("files").as_array()) text += format_inner(file, all);
  return text + fmt::format("  loads with: {}\n", adapter.at("loads_with").as_string());
}

std::string format_model(const Json& model, bool all) {
  std::string text = fmt::format("model: {}", model.at("class").as_string());
  if (const Json* elements = model.find("elements"))
    text += fmt::format(", {} parameters", grouped(elements->as_integer()));
  text += model.at("verified").as_bool() ? ", whole (every hash agrees)\n" : ", no manifest\n";
  for (const Json& component : model.at("components").as_array()) {
    text += fmt::format("  {}: {}\n", component.at("name").as_string(), component.at("class").as_string());
    for (const Json& file : component.at("weights").as_array()) text += "  " + format_inner(file, all);
  }
  if (const Json* pictures = model.find("pictures")) text += format_picture_model(*pictures);
  if (const Json* loads = model.find("loads_with")) text += fmt::format("  loads with: {}\n", loads->as_string());
  return text;
}

}  // namespace

std::string format_description(const Json& description, bool all) {
  const std::string& kind = description.at("kind").as_string();
  if (kind == "safetensors") return format_file(description, all);
  if (kind == "checkpoint") return format_checkpoint(description, all);
  if (kind == "adapter") return format_adapter(description, all);
  if (kind == "model") return format_model(description, all);
  std::string text;
  for (const Json& checkpoint : description.at("checkpoints").as_array()) text += format_checkpoint(checkpoint, all);
  if (const Json* model = description.find("model")) text += format_model(*model, all);
  return text;
}

}  // namespace plumb
