#include "apps/common/cli.h"

// The only file that sees CLI11: it takes ten seconds to compile. CLI11 splits words into names and values; the table,
// types, messages, help and configuration are ours.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>

#include "apps/common/flag_text.h"
#include "apps/common/nearest.h"
#include "engine/require.h"

namespace plumb {
namespace {

std::string canonical(std::string_view name) {
  std::string key(name.substr(std::min(name.find_first_not_of('-'), name.size())));
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

bool answers_to(const Flag& flag, const std::string& key) {
  return flag.name == key || std::find(flag.aliases.begin(), flag.aliases.end(), key) != flag.aliases.end();
}

std::string shown(const Flag& flag) { return fmt::format("{}{}", flag.is_positional ? "" : "--", flag.name); }

// "number 3", "string \"3\"": what a configuration file holds, in words.
std::string describe_scalar(const ConfigScalar& value) {
  if (value.kind == ConfigKind::string) return fmt::format("string \"{}\"", value.text);
  return fmt::format("{} {}", value.kind == ConfigKind::boolean ? "boolean" : "number", value.text);
}

constexpr const char* kOnCommandLine = "on the command line";

/// The value as the default is kept: elements of a list with commas between.
std::string text_of(const Flag& flag) {
  std::string text;
  for (const ConfigScalar& value : current_value(flag).values) {
    if (!text.empty()) text += ',';
    text += value.text;
  }
  return text;
}

}  // namespace

Flags::Flags(std::string command, std::string summary) : command_(std::move(command)), summary_(std::move(summary)) {}

Flag& Flags::insert(std::string_view name, FlagTarget target, std::string_view help, Constraint constraint) {
  std::string key = canonical(name);
  require<ValueError>(!key.empty() && !find(key), "flags: a name is new and not empty (--{})", key);
  Flag& flag = flags_.emplace_back(Flag{key, std::move(target), std::string(help), std::move(constraint)});
  flag.initial = text_of(flag);
  return flag;
}

Flag* Flags::find(std::string_view name) {
  std::string key = canonical(name);
  auto found = std::find_if(flags_.begin(), flags_.end(), [&](const Flag& flag) { return answers_to(flag, key); });
  return found == flags_.end() ? nullptr : &*found;
}

void Flags::add_global(GlobalFlags& global) {
  std::size_t first = flags_.size();
  add("--device", global.device, "auto, cpu, cuda or cuda:N").shown_as("D");
  add("--threads", global.threads, "worker threads; 0 is one a core; the result is the same", between(0, 4096));
  add("--seed", global.seed, "the run is a function of it", non_negative());
  add("--deterministic", global.deterministic, "same bits run after run on CUDA too");
  add("--winograd", global.winograd, "Winograd's convolutions, faster with 3 to 5 times the rounding error").advanced();
  add("--out", global.out, "where results go").alias("--output_dir").shown_as("DIR");
  add("--quiet", global.quiet, "no progress").transient();
  add("--json", global.json, "the result on standard output as JSON").transient();
  for (std::size_t i = first; i < flags_.size(); ++i) flags_[i].is_global = true;
}

void Flags::make_advanced(const std::vector<std::string_view>& names) {
  for (const std::string_view name : names) {
    Flag* flag = find(name);
    require<ValueError>(flag != nullptr, "flags: make_advanced() takes names of the table ({})", name);
    flag->advanced();
  }
}

void Flags::example(std::string command_line) { examples_.push_back(std::move(command_line)); }

void Flags::unknown_flag(std::string_view name, std::string_view where) const {
  std::vector<std::string> names;
  for (const Flag& flag : flags_) {
    if (flag.is_positional) continue;
    names.push_back(flag.name);
    names.insert(names.end(), flag.aliases.begin(), flag.aliases.end());
  }
  std::string near = nearest(canonical(name), names);
  const char* dashes = name.starts_with("-") ? "--" : "";
  std::string fix =
      near.empty() ? fmt::format("see plumb {} --help", command_) : fmt::format("did you mean {}{}?", dashes, near);
  raise<UsageError>("unknown {} {} ({}); {}", *dashes ? "flag" : "setting", name, where, fix);
}

void Flags::apply(Flag& flag, const std::vector<std::string>& texts, std::string_view where) {
  std::string culprit;
  if (!store_value(flag, texts, culprit)) {
    bool from_file = where.starts_with("at ");
    raise<UsageError>("{} expects {} (got \"{}\" {}); see plumb {} --help", from_file ? flag.name : shown(flag),
                      describe_expected(flag), culprit, where, command_);
  }
  flag.given = true;
}

void Flags::assign(std::string_view key, const std::string& text, std::string_view where) {
  Flag* flag = find(key);
  if (!flag) unknown_flag(key, where);
  bool splits = is_list(*flag) && !is_key_values(*flag) && !flag->is_whole;
  apply(*flag, splits ? split_list(text) : std::vector<std::string>{text}, where);
}

void Flags::assign(const KeyValues& pairs, std::string_view where) {
  for (const auto& [key, value] : pairs) assign(key, value, where);
}

bool Flags::given(std::string_view name) const {
  const Flag* flag = const_cast<Flags*>(this)->find(name);
  require<ValueError>(flag != nullptr, "flags: given() takes a name of the table ({})", name);
  return flag->given;
}

bool Flags::changed(std::string_view name) const {
  const Flag* flag = const_cast<Flags*>(this)->find(name);
  require<ValueError>(flag != nullptr, "flags: changed() takes a name of the table ({})", name);
  return text_of(*flag) != flag->initial;
}

// Folds `-` to `_` in names (never in values) and rewrites --no_name to --name=false. CLI11 would take the next word
// for the value of `--name=`, so that form is split in two. `--set a=1 b=2` becomes `--set a=1 --set b=2`.
Arguments Flags::fold(const Arguments& arguments) const {
  auto* self = const_cast<Flags*>(this);
  Arguments folded;
  bool is_value = false;
  const Flag* pairs = nullptr;  // the flag whose key=value came last
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (pairs && !is_value && !word.starts_with("-") && word.find('=') != std::string::npos)
      folded.push_back(fmt::format("--{}", pairs->name));
    else if (!is_value)
      pairs = nullptr;
    if (word == "--" && !is_value) {
      folded.insert(folded.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i), arguments.end());
      break;
    }
    if (is_value && word.starts_with("--") && self->find(word.substr(0, word.find('=')))) {
      raise<UsageError>("{} expects a value (got the flag {} {}); see plumb {} --help", folded.back(), word,
                        kOnCommandLine, command_);
    }
    if (is_value || !word.starts_with("--")) {
      folded.push_back(word);
      is_value = false;
      continue;
    }
    std::size_t equals = std::min(word.find('='), word.size());
    std::string name = canonical(word.substr(0, equals));
    const Flag* flag = self->find(name);
    if (flag && is_key_values(*flag)) pairs = flag;
    const Flag* negated = !flag && name.starts_with("no_") ? self->find(name.substr(3)) : nullptr;
    if (negated && is_switch(*negated) && equals == word.size()) {
      folded.push_back(fmt::format("--{}=false", negated->name));
    } else if (equals + 1 == word.size()) {
      folded.push_back(fmt::format("--{}", name));
      folded.emplace_back();
    } else {
      folded.push_back(fmt::format("--{}{}", name, word.substr(equals)));
      bool takes_next = flag ? !is_switch(*flag) && !flag->is_positional : name == "config";
      is_value = takes_next && equals == word.size();
    }
  }
  return folded;
}

void Flags::unexpected(const Arguments& extras) const {
  for (const std::string& word : extras) {
    if (word.starts_with("-") && word.size() > 1) unknown_flag(word.substr(0, word.find('=')), kOnCommandLine);
  }
  raise<UsageError>("plumb {} does not take \"{}\" ({}); flags begin with --, see plumb {} --help", command_, extras[0],
                    kOnCommandLine, command_);
}

void Flags::read_command_line(const Arguments& arguments) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  auto one_each = [](CLI::Option* option) {
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->allow_extra_args(false);
  };
  for (Flag& flag : flags_) {
    std::string names = shown(flag);
    for (const std::string& alias : flag.aliases) names += fmt::format(",--{}", alias);
    CLI::callback_t take = [this, &flag](const CLI::results_t& values) {
      if (is_key_values(flag) || flag.is_whole || (flag.is_positional && is_list(flag))) {
        apply(flag, values, kOnCommandLine);
        return true;
      }
      assign(flag.name, values.back(), kOnCommandLine);
      return true;
    };
    if (is_switch(flag)) {
      app.add_flag(
          names, [](int64_t) {}, "");
      app.get_option(names.substr(0, names.find(',')))->each([this, &flag](const std::string& text) {
        assign(flag.name, text, kOnCommandLine);
      });
    } else if (flag.is_positional && is_list(flag)) {
      app.add_option(names, take, "")->expected(-1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    } else {
      one_each(app.add_option(names, take, ""));
    }
  }
  CLI::callback_t take_config = [this](const CLI::results_t& paths) {
    require<UsageError>(paths.size() == 1 && !paths[0].empty(),
                        "--config names one file (got {} {}); see plumb {} --help", fmt::join(paths, " and "),
                        kOnCommandLine, command_);
    config_path_ = paths[0];
    return true;
  };
  one_each(app.add_option("--config", take_config, ""));
  app.add_flag("-h,--help", help_);
  app.add_flag("--help_all", help_all_);
  Arguments words = fold(arguments);
  std::reverse(words.begin(), words.end());  // CLI11 takes them last first
  try {
    app.parse(std::move(words));
  } catch (const CLI::ParseError& failure) {
    raise<UsageError>("{} ({}); see plumb {} --help", failure.what(), kOnCommandLine, command_);
  }
  if (!help_ && !help_all_ && app.remaining_size() > 0) unexpected(app.remaining());
}

void Flags::apply_config(const std::string& path) {
  for (const ConfigEntry& entry : read_config(path)) {
    std::string where = fmt::format("at {}:{}", path, entry.line);
    if (entry.key == "verb") {
      bool same = entry.values.size() == 1 && entry.values[0].text == command_;
      require<UsageError>(same, "{} is the configuration of another verb (verb at {}:{}); plumb {} cannot use it", path,
                          path, entry.line, command_);
      continue;
    }
    Flag* flag = find(entry.key);
    if (!flag || flag->is_transient) unknown_flag(entry.key, where);
    if (flag->given && !is_key_values(*flag)) continue;  // the command line wins
    require<UsageError>(entry.is_list == is_list(*flag), "{} expects {} (got {} {}); write {}", flag->name,
                        describe_expected(*flag), entry.is_list ? "a list" : "a single value", where,
                        is_list(*flag) ? "key = [a, b]" : "key = value");
    std::vector<std::string> texts;
    for (const ConfigScalar& value : entry.values) {
      require<UsageError>(takes_kind(*flag, value.kind), "{} expects {} (got the {} {}); see plumb {} --help",
                          flag->name, describe_expected(*flag), describe_scalar(value), where, command_);
      texts.push_back(value.text);
    }
    if (is_key_values(*flag)) {
      // The command line wins key by key: it is laid over the file.
      KeyValues& place = *std::get<KeyValues*>(flag->target);
      for (const auto& [key, value] : place) texts.push_back(fmt::format("{}={}", key, value));
      place.clear();
    }
    apply(*flag, texts, where);
  }
}

void Flags::check_required() const {
  for (const Flag& flag : flags_) {
    require<UsageError>(flag.given || !flag.is_required, "{} is required (plumb {}); give {}", shown(flag), command_,
                        describe_expected(flag));
  }
}

bool Flags::parse(const Arguments& arguments) {
  read_command_line(arguments);
  if (help_ || help_all_) {
    std::fputs(help(help_all_).c_str(), stdout);
    return false;
  }
  if (!config_path_.empty()) apply_config(config_path_);
  check_required();
  return true;
}

ConfigEntries Flags::resolved() const {
  ConfigEntries entries;
  for (const Flag& flag : flags_) {
    if (flag.is_transient) continue;
    ConfigEntry entry = current_value(flag);
    if (entry.is_list || !entry.values.empty()) entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace plumb
