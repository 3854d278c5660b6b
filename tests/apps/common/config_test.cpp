#include "apps/common/config.h"

#include <doctest/doctest.h>

#include "apps/common/exit_codes.h"
#include "engine/io/json.h"

using namespace plumb;

TEST_CASE("config: keeps file order, kinds and lines") {
  ConfigEntries entries = parse_config("zeta = 1\nalpha = 0.1\nflag = true\nname = 'x'\nlist = [1, 2]\n", "t");
  REQUIRE(entries.size() == 5);
  CHECK(entries[0].key == "zeta");
  CHECK(entries[0].values[0].kind == ConfigKind::integer);
  CHECK(entries[1].key == "alpha");
  CHECK(entries[1].values[0].text == "0.1");
  CHECK(entries[2].values[0].kind == ConfigKind::boolean);
  CHECK(entries[3].values[0].kind == ConfigKind::string);
  CHECK(entries[4].is_list);
  CHECK(entries[4].line == 5);
}

TEST_CASE("config: refuses hostile text with file, line and column") {
  CHECK_THROWS_WITH_AS(parse_config("a = 1\nb = \n", "t"), doctest::Contains("t:2:"), UsageError);
  CHECK_THROWS_WITH_AS(parse_config("a = 1\na = 2\n", "t"), doctest::Contains("t:2:"), UsageError);
  CHECK_THROWS_WITH_AS(parse_config("[x]\na = 1\n[y]\na = 2\n", "t"), doctest::Contains("a is set twice (t:2 and t:4)"),
                       UsageError);
  CHECK_THROWS_AS(parse_config("a = 2020-01-01\n", "t"), UsageError);
  CHECK_THROWS_AS(parse_config("a = [[1]]\n", "t"), UsageError);
  CHECK_THROWS_AS(parse_config("a = 99999999999999999999\n", "t"), UsageError);
  CHECK_THROWS_AS(parse_config("a = 1e400\n", "t"), UsageError);
  CHECK_THROWS_AS(parse_config("a = '\xff'\n", "t"), UsageError);
  CHECK_THROWS_AS(parse_config("a = " + std::string(100000, '['), "t"), UsageError);
  // Dots inside strings and numbers are no depth; dotted keys and nested tables are.
  CHECK_NOTHROW(
      parse_config("a = \"" + std::string(99, '.') + "\" # " + std::string(99, '.') + "\nb = [0.1,\n0.2]\n", "t"));
  CHECK_NOTHROW(parse_config("a = \"\"\"x\" '" + std::string(99, '.') + "\n\"\"\"\n", "t"));
  std::string deep = "a";
  for (int i = 0; i < 300000; ++i) deep += ".a";
  CHECK_THROWS_AS(parse_config(deep + " = 1\n", "t"), UsageError);
  CHECK_THROWS_AS(parse_config("[" + deep + "]\n", "t"), UsageError);
}

TEST_CASE("config: text written is text read") {
  ConfigEntries entries = {{"name", {{ConfigKind::string, "a\"b\\c\n\x7f \xc3\xa9"}}, false, 0},
                           {"rate", {{ConfigKind::real, "1e-05"}}, false, 0},
                           {"one", {{ConfigKind::real, "1"}}, false, 0},
                           {"infinite", {{ConfigKind::real, "inf"}}, false, 0},
                           {"counts", {{ConfigKind::integer, "1"}, {ConfigKind::integer, "-2"}}, true, 0},
                           {"none", {}, true, 0}};
  std::string text = format_config("demo", entries);
  ConfigEntries read = parse_config(text, "t");
  REQUIRE(read.size() == entries.size() + 1);
  CHECK(read[0].key == "verb");
  for (std::size_t i = 0; i < entries.size(); ++i) {
    CAPTURE(entries[i].key);
    CHECK(read[i + 1].key == entries[i].key);
    CHECK(read[i + 1].is_list == entries[i].is_list);
    REQUIRE(read[i + 1].values.size() == entries[i].values.size());
    for (std::size_t j = 0; j < entries[i].values.size(); ++j) {
      CHECK(read[i + 1].values[j].kind == entries[i].values[j].kind);
      CHECK(read[i + 1].values[j].text == entries[i].values[j].text);
    }
  }
}

TEST_CASE("config: becomes the settings of metrics.json") {
  ConfigEntries entries = parse_config("a = 1\nb = 0.5\nc = [\"x\", \"y\"]\nd = true\ne = inf\nf = []\ng = 2.0\n", "t");
  CHECK(to_json(entries).dump() == R"({"a": 1, "b": 0.5, "c": ["x", "y"], "d": true, "e": "inf", "f": [], "g": 2.0})");
}
