#include "apps/common/cli.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "engine/error.h"

using namespace plumb;

namespace {

enum class Reduction { mean, sum = 7 };

struct Settings {
  GlobalFlags global;
  int64_t classes = 6;
  double learning_rate = 1e-4;
  bool center_crop = false;
  std::string prompt = "";
  std::string sampler = "ddim";
  Reduction reduction = Reduction::mean;
  std::optional<double> beta;
  std::vector<int64_t> steps = {10, 20};
  std::vector<double> scales;
  std::vector<std::string> methods = {"sft"};
  KeyValues set;
  std::string file;
  std::vector<std::string> rest;
};

Flags make_flags(Settings& s) {
  Flags flags("demo", "a verb for tests");
  flags.add("--classes", s.classes, "modes", at_least(2));
  flags.add("--learning_rate", s.learning_rate, "step size", above_to(0, 1)).alias("--lr");
  flags.add("--center_crop", s.center_crop, "crop");
  flags.add("--prompt", s.prompt, "text");
  flags.add("--sampler", s.sampler, "how", one_of({"ddim", "ddpm"}));
  flags.add_choice<Reduction>("--reduction", s.reduction, {{"mean", Reduction::mean}, {"sum", Reduction::sum}}, "over");
  flags.add("--beta", s.beta, "strength", positive());
  flags.add("--steps", s.steps, "counts", at_least(0));
  flags.add("--scales", s.scales, "numbers");
  flags.add("--methods", s.methods, "names");
  flags.add("--set", s.set, "METHOD.key=value");
  flags.add_global(s.global);
  return flags;
}

Settings parsed(const Arguments& arguments) {
  Settings s;
  Flags flags = make_flags(s);
  REQUIRE(flags.parse(arguments));
  return s;
}

std::string failure(const Arguments& arguments) {
  Settings s;
  Flags flags = make_flags(s);
  try {
    flags.parse(arguments);
  } catch (const UsageError& e) {
    return e.what();
  }
  return "no failure";
}

struct TemporaryFile {
  std::string path = (std::filesystem::temp_directory_path() / "plumb_cli_test.toml").string();
  explicit TemporaryFile(const std::string& text) { std::ofstream(path) << text; }
  ~TemporaryFile() { std::remove(path.c_str()); }
};

}  // namespace

TEST_CASE("cli: reads every type in both spellings") {
  Settings s =
      parsed({"--classes", "8", "--learning_rate=5e-4", "--center_crop", "--sampler=ddpm", "--reduction", "sum",
              "--beta", "2", "--steps", "1,2,3", "--scales=-1,0.5", "--methods", "a,b", "--device=cpu"});
  CHECK(s.classes == 8);
  CHECK(s.learning_rate == 5e-4);
  CHECK(s.center_crop);
  CHECK(s.sampler == "ddpm");
  CHECK(s.reduction == Reduction::sum);
  CHECK(s.beta == 2.0);
  CHECK(s.steps == std::vector<int64_t>{1, 2, 3});
  CHECK(s.scales == std::vector<double>{-1, 0.5});
  CHECK(s.methods == std::vector<std::string>{"a", "b"});
  CHECK(s.global.device == "cpu");
}

TEST_CASE("cli: dashes and underscores are the same in names and untouched in values") {
  CHECK(parsed({"--learning-rate", "1e-3"}).learning_rate == 1e-3);
  CHECK(parsed({"--center-crop"}).center_crop);
  CHECK(parsed({"--prompt", "a-b_c"}).prompt == "a-b_c");
  CHECK(parsed({"--prompt", "--a-cat"}).prompt == "--a-cat");
  CHECK(parsed({"--prompt=--classes=a-b"}).prompt == "--classes=a-b");
  CHECK(parsed({"--set", "sft-x.lr-y=1-2"}).set == KeyValues{{"sft-x.lr-y", "1-2"}});
}

TEST_CASE("cli: aliases, negated switches, empty values and repeated flags") {
  CHECK(parsed({"--lr", "0.25"}).learning_rate == 0.25);
  CHECK(parsed({"--output-dir", "runs/a"}).global.out == "runs/a");
  CHECK(!parsed({"--center_crop", "--no-center-crop"}).center_crop);
  CHECK(!parsed({"--center_crop=false"}).center_crop);
  CHECK(parsed({"--prompt=", "--classes", "3"}).prompt == "");
  CHECK(parsed({"--prompt=", "--classes", "3"}).classes == 3);
  CHECK(parsed({"--methods="}).methods.empty());
  CHECK(parsed({"--classes", "3", "--classes", "4"}).classes == 4);
  CHECK(parsed({"--prompt", "[a,b]"}).prompt == "[a,b]");
  CHECK(parsed({"--prompt", R"({"dim": [1, 2]})"}).prompt == R"({"dim": [1, 2]})");
}

TEST_CASE("cli: --set collects, and a later key wins") {
  Settings s = parsed({"--set", "ddspo.beta=2", "--set=sft.steps=10", "--set", "ddspo.beta=3"});
  CHECK(s.set == KeyValues{{"ddspo.beta", "3"}, {"sft.steps", "10"}});
  s = parsed({"--set", "ddspo.beta=2", "sft.steps=10", "a=-1", "--quiet"});
  CHECK(s.set == KeyValues{{"ddspo.beta", "2"}, {"sft.steps", "10"}, {"a", "-1"}});
  CHECK(!failure({"--set", "a=1", "b"}).empty());
  CHECK(!failure({"--quiet", "a=1"}).empty());
  CHECK(failure({"--set", "beta"}) ==
        R"(--set expects key=value (got "beta" on the command line); see plumb demo --help)");
}

TEST_CASE("cli: numbers are read strictly") {
  CHECK(parsed({"--classes", "5e3"}).classes == 5000);
  CHECK(parsed({"--classes", "+7"}).classes == 7);
  CHECK(failure({"--classes", "1"}) ==
        R"(--classes expects an integer at least 2 (got "1" on the command line); see plumb demo --help)");
  for (const char* text :
       {"", "x", "2.5", "1e400", "99999999999999999999", "0x10", "nan", " 3", "3 ", "1_000", "--3"}) {
    CAPTURE(text);
    CHECK(failure({"--classes", text}).starts_with("--classes expects an integer at least 2"));
  }
  CHECK(failure({"--learning_rate", "2"}) ==
        R"(--learning_rate expects a number in (0, 1] (got "2" on the command line); see plumb demo --help)");
  for (const char* text : {"0", "nan", "inf", "-1", "1,5", "1e-400", "0.1f", ""}) {
    CAPTURE(text);
    CHECK(failure({"--learning_rate", text}).starts_with("--learning_rate expects a number in (0, 1]"));
  }
  CHECK(failure({"--steps", "1,,2"}).find(R"((got "")") != std::string::npos);
  CHECK(failure({"--seed", "-1"}).starts_with("--seed expects an integer at least 0"));
}

TEST_CASE("cli: refuses what it does not know and names the nearest flag") {
  CHECK(failure({"--lerning-rate", "1"}) ==
        "unknown flag --lerning_rate (on the command line); did you mean --learning_rate?");
  CHECK(failure({"--zzzzzzzz"}) == "unknown flag --zzzzzzzz (on the command line); see plumb demo --help");
  CHECK(failure({"-x"}).starts_with("unknown flag -x"));
  CHECK(failure({"--center_crop", "false"}) ==
        "plumb demo does not take \"false\" (on the command line); flags begin with --, see plumb demo --help");
  CHECK(failure({"--sampler", "euler"}).starts_with("--sampler expects one of ddim, ddpm (got \"euler\""));
  CHECK(failure({"--reduction", "max"}).starts_with("--reduction expects one of mean, sum (got \"max\""));
  CHECK(failure({"--prompt", "--classes", "3"})
            .starts_with("--prompt expects a value (got the flag --classes on the command line)"));
  CHECK(failure({"--classes"}).find("--classes") != std::string::npos);
  CHECK(failure({"--prompt", "\xff"}).starts_with("--prompt expects UTF-8 text"));
}

TEST_CASE("cli: a failed value leaves its target alone") {
  Settings s;
  Flags flags = make_flags(s);
  CHECK_THROWS_AS(flags.assign("steps", "1,x", "in a test"), UsageError);
  CHECK(s.steps == std::vector<int64_t>{10, 20});
}

TEST_CASE("cli: positionals come in order, and a missing required one is named") {
  auto read = [](const Arguments& arguments) {
    Settings s;
    Flags flags("inspect", "test");
    flags.positional("FILE", s.file, "the file").required();
    flags.positional("MORE", s.rest, "others");
    flags.add_global(s.global);
    flags.parse(arguments);
    return s;
  };
  Settings s = read({"a.safetensors", "--quiet", "b", "c,d"});
  CHECK(s.file == "a.safetensors");
  CHECK(s.rest == std::vector<std::string>{"b", "c,d"});
  CHECK(s.global.quiet);
  CHECK(read({"--", "--strange-name"}).file == "--strange-name");
  CHECK_THROWS_WITH_AS(read({"--quiet"}), "FILE is required (plumb inspect); give UTF-8 text", UsageError);
}

TEST_CASE("cli: a configuration file sets the same keys and the command line wins") {
  TemporaryFile file(
      "classes = 9\n[optimizer]\nlearning-rate = 0.5\n[set]\n\"sft.steps\" = 5\nddspo.beta = 2.5\n"
      "[lists]\nmethods = [\"a\", \"b,c\"]\n");
  Settings s = parsed({"--config", file.path, "--classes", "3", "--set", "sft.steps=7"});
  CHECK(s.classes == 3);
  CHECK(s.learning_rate == 0.5);
  CHECK(s.methods == std::vector<std::string>{"a", "b,c"});
  REQUIRE(s.set.size() == 2);
  for (const auto& [key, value] : s.set) CHECK(value == (key == "sft.steps" ? "7" : "2.5"));
}

TEST_CASE("cli: a bad configuration names file and line") {
  auto fails = [](const std::string& text) {
    TemporaryFile file(text);
    std::string message = failure({"--config", file.path});
    std::size_t at = message.find(file.path);
    if (at == std::string::npos) return message;
    return message.erase(at, file.path.size()).insert(at, 1, 'F');
  };
  CHECK(fails("\nclases = 3\n") == "unknown setting clases (at F:2); did you mean classes?");
  CHECK(fails("classes = 1\n") == R"(classes expects an integer at least 2 (got "1" at F:1); see plumb demo --help)");
  CHECK(fails("classes = \"3\"\n").starts_with("classes expects an integer at least 2 (got the string \"3\" at F:1)"));
  CHECK(fails("prompt = 3\n").starts_with("prompt expects UTF-8 text (got the number 3 at F:1)"));
  CHECK(fails("center_crop = 1\n").starts_with("center_crop expects true or false (got the number 1 at F:1)"));
  CHECK(fails("classes = [3]\n").find("a list at F:1") != std::string::npos);
  CHECK(fails("steps = 3\n").find("a single value at F:1") != std::string::npos);
  CHECK(fails("verb = \"train\"\n").find("is the configuration of another verb") != std::string::npos);
  CHECK(fails("quiet = true\n").starts_with("unknown setting quiet"));
  CHECK(failure({"--config", "a", "--config", "b"}).starts_with("--config names one file (got a and b on the"));
  CHECK(failure({"--config="}).starts_with("--config names one file"));
  CHECK(failure({"--config", "/"}).find("(Is a directory); /); check --config") != std::string::npos);
  CHECK(failure({"--config", "/nowhere/x.toml"}) ==
        "the configuration is unusable (read: file cannot be opened (No such file or directory); /nowhere/x.toml); "
        "check --config");
}

TEST_CASE("cli: the resolved configuration repeats the run") {
  Settings first;
  Flags flags = make_flags(first);
  flags.parse({"--classes", "8", "--learning_rate", "0.1", "--prompt", "tab\t\"quoted\" \\ \xc3\xa9", "--scales",
               "1,1e-300,0.1", "--set", "a.b=c d", "--reduction", "sum", "--center_crop", "--methods=", "--quiet"});
  TemporaryFile file(format_config("demo", flags.resolved()));
  Settings second = parsed({"--config", file.path});
  CHECK(second.classes == first.classes);
  CHECK(second.learning_rate == first.learning_rate);
  CHECK(second.prompt == first.prompt);
  CHECK(second.scales == first.scales);
  CHECK(second.set == first.set);
  CHECK(second.reduction == first.reduction);
  CHECK(second.center_crop);
  CHECK(second.methods.empty());
  CHECK(!second.beta.has_value());
  CHECK(!second.global.quiet);
}

TEST_CASE("cli: help names every flag in at most 24 lines") {
  Settings s;
  Flags flags = make_flags(s);
  flags.example("plumb demo --classes 8");
  std::string text = flags.help();
  CHECK(std::count(text.begin(), text.end(), '\n') <= 24);
  for (const char* part : {"--learning_rate X", "[1e-04]", "also --lr", "--sampler ddim|ddpm", "--out DIR", "--config",
                           "Example: plumb demo --classes 8"}) {
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE("cli: given tells a default from a choice, and a name is added once") {
  Settings s;
  Flags flags = make_flags(s);
  flags.parse({"--classes", "6"});
  CHECK(flags.given("--classes"));
  CHECK(!flags.given("beta"));
  CHECK_THROWS_AS(flags.given("nothing"), ValueError);
  CHECK_THROWS_AS(flags.add("--lr", s.beta, ""), ValueError);
}

TEST_CASE("cli: a list whose elements are whole, and what differs from its default") {
  std::vector<std::string> prompts;
  int64_t count = 4;
  Flags flags("demo", "");
  flags.add("--prompt", prompts, "what to draw").whole();
  flags.add("--count", count, "how many");
  REQUIRE(flags.parse({"--prompt", "a red, round ball", "--prompt=b", "--count", "4"}));
  CHECK(prompts == std::vector<std::string>{"a red, round ball", "b"});
  CHECK(flags.changed("--prompt"));
  CHECK(flags.given("count"));
  CHECK_FALSE(flags.changed("count"));
}
