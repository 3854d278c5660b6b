// The text of --help: a line a flag, meant to fit a screen of 24 lines; advanced flags are only named, and the global
// ones share two lines.
#include <fmt/format.h>

#include <algorithm>

#include "apps/common/cli.h"
#include "apps/common/flag_text.h"

namespace plumb {
namespace {

constexpr std::size_t kWidth = 120;

std::string usage_name(const Flag& flag) {
  std::string name = fmt::format("{}{}", flag.is_positional ? "" : "--", flag.name);
  std::string value = flag.is_positional ? "" : describe_placeholder(flag);
  return value.empty() ? name : fmt::format("{} {}", name, value);
}

std::string explain(const Flag& flag, std::size_t column) {
  std::string text = fmt::format("  {:<{}}  {}", usage_name(flag), column, flag.help);
  bool off = is_switch(flag) && flag.initial == "false";
  if (flag.is_required) {
    text += " (required)";
  } else if (!flag.initial.empty() && !off) {
    text += fmt::format(" [{}]", flag.initial);
  }
  bool hides_choices = !flag.constraint.choices.empty() && describe_placeholder(flag) == "NAME";
  if (hides_choices) text += fmt::format(": {}", fmt::join(flag.constraint.choices, " "));
  for (const std::string& alias : flag.aliases) text += fmt::format("; also --{}", alias);
  return text + "\n";
}

// "Title: a b c" broken at kWidth, continued under the first word.
std::string paragraph(const std::string& title, const std::vector<std::string>& words) {
  if (words.empty()) return "";
  std::string text = title;
  std::size_t column = title.size();
  for (const std::string& word : words) {
    if (column + 1 + word.size() > kWidth) {
      text += fmt::format("\n{:{}}", "", title.size());
      column = title.size();
    }
    text += ' ';
    text += word;
    column += 1 + word.size();
  }
  return text + "\n";
}

}  // namespace

std::string Flags::help(bool all) const {
  std::string positionals;
  std::size_t column = 0;
  for (const Flag& flag : flags_) {
    if (flag.is_positional)
      positionals += fmt::format("{}{}{}", flag.is_required ? " " : " [", flag.name, flag.is_required ? "" : "]");
    if (!flag.is_global && (all || !flag.is_advanced)) column = std::max(column, usage_name(flag).size());
  }
  constexpr std::size_t kWidestName = 36;
  column = std::min(column, kWidestName);
  std::string text = fmt::format("plumb {}{} [flags] - {}\n", command_, positionals, summary_);
  std::vector<std::string> advanced, global;
  for (const Flag& flag : flags_) {
    if (flag.is_global && !all) {
      global.push_back(usage_name(flag));
    } else if (flag.is_advanced && !all) {
      advanced.push_back(fmt::format("--{}", flag.name));
    } else {
      text += explain(flag, column);
    }
  }
  text += paragraph("More (--help_all explains):", advanced);
  global.emplace_back("--config FILE.toml");
  text += paragraph("Everywhere:", global);
  for (const std::string& line : examples_) text += fmt::format("Example: {}\n", line);
  return text;
}

}  // namespace plumb
