#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apps/common/config.h"
#include "apps/common/exit_codes.h"
#include "apps/common/flag.h"

// The command line of a verb: a table of typed flags. A verb looks like this:
//
//   struct Settings {
//     GlobalFlags global{.out = "runs/demo"};
//     int64_t classes = 6;
//     double learning_rate = 1e-4;
//     std::string sampler = "ddim";
//     std::vector<std::string> methods = {"sft", "ddspo"};
//     std::optional<double> beta;         // absent: the method's own
//     KeyValues set;                      // --set ddspo.beta=2 --set sft.steps=10
//   };
//
//   int run_demo(const Arguments& arguments) {
//     Settings s;
//     Flags flags("demo", "shows how a verb reads its flags");
//     flags.add("--classes", s.classes, "modes of the world", at_least(2));
//     flags.add("--learning_rate", s.learning_rate, "step size of Adam", positive()).alias("--lr");
//     flags.add("--sampler", s.sampler, "how samples are drawn", one_of({"ddim", "ddpm"}));
//     flags.add("--methods", s.methods, "objectives, comma separated");
//     flags.add("--beta", s.beta, "strength of the preference", positive());
//     flags.add("--set", s.set, "METHOD.key=value, repeatable").advanced();
//     flags.add_global(s.global);
//     flags.example("plumb demo --classes 8 --out runs/demo");
//     if (!flags.parse(arguments)) return kExitDone;  // --help was asked for and printed
//     OutputDir out(s.global.out);                    // exits with 2 before any work when it is not writable
//     write_config(out / "config.toml", "demo", flags.resolved());
//     ...
//   }
//
// `-` and `_` are the same in names; `--name value` and `--name=value` both work; a bool is `--name`, `--name=false` or
// `--no_name`; a list is comma separated. `--config run.toml` takes the same keys; the command line wins.
// Everything wrong throws UsageError naming the flag, what it got and what it expects.

namespace plumb {

/// The words after the verb.
using Arguments = std::vector<std::string>;

/// Flags every verb has. Set the verb's own defaults before Flags::add_global.
struct GlobalFlags {
  std::string device = "auto";  // auto, cpu, cuda, cuda:N
  int64_t threads = 0;          // 0: one a core
  int64_t seed = 0;
  bool deterministic = false;
  bool winograd = true;  // false: no convolution by Winograd's algorithm (engine/ops/conv/algorithm.h)
  std::string out = {};
  bool quiet = false;
  bool json = false;
};

class Flags {
 public:
  /// `command` is what follows "plumb" ("toy2d", "data check"); `summary` is one line.
  Flags(std::string command, std::string summary);

  /// Adds `--name`. T is bool, int64_t, double, std::string, an optional or vector of those in FlagTarget, or
  /// KeyValues. Throws ValueError for a name that is already there (a programming error).
  template <class T>
  Flag& add(std::string_view name, T& value, std::string_view help, Constraint constraint = {}) {
    return insert(name, FlagTarget(&value), help, std::move(constraint));
  }

  /// Adds a flag for an enum: flags.add_choice("--reduction", s.reduction, {{"sum", Reduction::sum}, ...}, "help").
  template <class E>
  Flag& add_choice(std::string_view name, E& value, const std::vector<std::pair<std::string, E>>& choices,
                   std::string_view help) {
    EnumTarget target{&value,
                      [](void* place, int64_t v) { *static_cast<E*>(place) = static_cast<E>(v); },
                      [](const void* place) { return static_cast<int64_t>(*static_cast<const E*>(place)); },
                      {}};
    Constraint constraint;
    for (const auto& [text, choice] : choices) {
      constraint.choices.push_back(text);
      target.values.push_back(static_cast<int64_t>(choice));
    }
    return insert(name, FlagTarget(std::move(target)), help, std::move(constraint));
  }

  /// Adds an argument without a name (`plumb inspect FILE`), in order; a vector takes all that are left.
  template <class T>
  Flag& positional(std::string_view name, T& value, std::string_view help, Constraint constraint = {}) {
    Flag& flag = insert(name, FlagTarget(&value), help, std::move(constraint));
    flag.is_positional = true;
    return flag;
  }

  /// Adds --device --threads --seed --deterministic --out (also --output_dir) --quiet --json.
  void add_global(GlobalFlags& global);

  /// Flag::advanced() for flags that others have added. Throws ValueError for a name not in the table.
  void make_advanced(const std::vector<std::string_view>& names);

  /// A command for the end of --help; may be called more than once.
  void example(std::string command_line);

  /// Reads the command line and the file named by --config into the targets. Returns false when --help was asked for
  /// and has been printed; the caller then returns kExitDone. Throws UsageError.
  bool parse(const Arguments& arguments);

  /// Sets one flag from text, as --set and configuration files do. `where` completes the message: "(got X WHERE)".
  /// Throws UsageError for an unknown key (naming the nearest), or a value that is not allowed.
  void assign(std::string_view key, const std::string& text, std::string_view where);
  /// assign() for each pair. `Flags keys("ddspo", ""); keys.add("beta", o.beta, "", positive()); keys.assign(set, "in
  /// --set")` turns KeyValues into checked options.
  void assign(const KeyValues& pairs, std::string_view where);

  /// Whether the command line or the configuration file gave the flag. Throws ValueError for a name not in the table.
  bool given(std::string_view name) const;

  /// Whether the flag's value is another than its default. Throws ValueError for a name not in the table.
  bool changed(std::string_view name) const;

  /// The text of --help; `all` also explains the advanced flags.
  std::string help(bool all = false) const;

  /// The resolved values, in table order, for write_config and metrics.json. Transient flags and empty optionals are
  /// left out.
  ConfigEntries resolved() const;

 private:
  Flag& insert(std::string_view name, FlagTarget target, std::string_view help, Constraint constraint);
  Flag* find(std::string_view name);
  Arguments fold(const Arguments& arguments) const;
  void read_command_line(const Arguments& arguments);
  void apply(Flag& flag, const std::vector<std::string>& texts, std::string_view where);
  void apply_config(const std::string& path);
  void check_required() const;
  [[noreturn]] void unknown_flag(std::string_view name, std::string_view where) const;
  [[noreturn]] void unexpected(const Arguments& extras) const;

  std::string command_;
  std::string summary_;
  std::deque<Flag> flags_;  // a deque, so that the references add() returns stay valid
  std::vector<std::string> examples_;
  std::string config_path_;
  bool help_ = false;
  bool help_all_ = false;
};

}  // namespace plumb
