#include "apps/sample/prompts.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "apps/common/exit_codes.h"

using namespace plumb;

namespace {

std::vector<PicturePrompt> read(const char* name, const std::string& text) {
  const std::filesystem::path path = std::filesystem::temp_directory_path() / name;
  std::ofstream(path) << text;
  struct Remove {
    std::filesystem::path path;
    ~Remove() { std::filesystem::remove(path); }
  } remove{path};
  return read_prompts(path);
}

}  // namespace

TEST_CASE("prompts: a line as kohya's scripts write it, options in any order") {
  const PicturePrompt p = parse_prompt_line("a well-lit room --s 20 --n rain, fog --w 512 --l 7.5 --h 384 --d 7", "x");
  CHECK(p.text == "a well-lit room");
  CHECK(p.negative == "rain, fog");
  CHECK(p.width == 512);
  CHECK(p.height == 384);
  CHECK(p.seed == 7);
  CHECK(p.guidance_scale == 7.5);
  CHECK(p.steps == 20);
  const PicturePrompt plain = parse_prompt_line("just words", "x");
  CHECK(plain.text == "just words");
  CHECK_FALSE(plain.negative.has_value());
  CHECK(parse_prompt_line("--n dark", "x").text.empty());
  CHECK(parse_prompt_line("--n dark", "x").negative == "dark");
}

TEST_CASE("prompts: what cannot be is refused, naming the line") {
  for (const char* line :
       {"a --q 3", "a --w", "a --w x", "a --w -5", "a --s 2.5", "a --l nan", "a --d 1e3", "a --h 0", "a --s 0"})
    CHECK_THROWS_WITH_AS(parse_prompt_line(line, "f.txt:3"), doctest::Contains("f.txt:3"), UsageError);
  CHECK_THROWS_WITH_AS(read("plumb_prompts_test.txt", "one\n\n# two\nthree --w x"), doctest::Contains(".txt:4"),
                       UsageError);
  CHECK_THROWS_AS(read("plumb_prompts_test.txt", "\n#\n"), UsageError);
}

TEST_CASE("prompts: files") {
  const auto lines = read("plumb_prompts_test.txt", "one\r\n\n# two\n  three --w 64");
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].text == "one");
  CHECK(lines[1].width == 64);
  const auto objects = read("plumb_prompts_test.jsonl",
                            "{\"prompt\": \"# a --w 3\", \"negative_prompt\": \"b\", \"seed\": 5}\n"
                            "{\"prompt\": \"c\", \"guidance_scale\": 2, \"num_inference_steps\": 7}\n");
  REQUIRE(objects.size() == 2);
  CHECK(objects[0].text == "# a --w 3");
  CHECK(objects[0].negative == "b");
  CHECK(objects[0].seed == 5);
  CHECK(objects[1].guidance_scale == 2);
  CHECK(objects[1].steps == 7);
  CHECK_THROWS_WITH_AS(read("plumb_prompts_test.jsonl", "{\"prompt\": \"a\", \"cfg\": 1}"),
                       doctest::Contains("unknown key \"cfg\""), UsageError);
  CHECK_THROWS_AS(read("plumb_prompts_test.jsonl", "[]"), UsageError);
  for (const char* pair : {"\"seed\": -1", "\"width\": 0", "\"guidance_scale\": -2", "\"num_inference_steps\": -3"})
    CHECK_THROWS_WITH_AS(read("plumb_prompts_test.jsonl", std::string("{\"prompt\": \"a\", ") + pair + "}"),
                         doctest::Contains(".jsonl:1"), UsageError);
}
