#include "apps/shapes/study/control_pairs.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "apps/shapes/study/json_lines.h"
#include "apps/shapes/study/negative_prompts.h"
#include "engine/error.h"
#include "tests/apps/shapes/study/read_lines.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using namespace plumb::study;
using plumb::test::TempDir;

namespace {

Json pair(const std::string& id, const std::string& prompt, const std::string& negative) {
  Json line = Json::object();
  line.set("id", id).set("prompt", prompt).set("neg_prompt", negative);
  return line.set("pos_file", "w" + id + ".png").set("neg_file", "l" + id + ".png");
}

/// Three pairs, two of one prompt, in FOLDER/removal.
std::string write_pairs(const std::string& folder) {
  write_json_lines(folder + "/removal/metadata.jsonl",
                   {pair("0", "a red circle", "a circle"), pair("1", "a red circle", "red circle"),
                    pair("2", "two blue squares", "two")});
  return folder + "/removal";
}

std::vector<Json> control(const std::string& folder, const std::string& kind) {
  const std::string from = write_pairs(folder), to = folder + "/removal_" + kind;
  write_control_pairs(from, to, kind);
  return test::read_lines(to + "/metadata.jsonl");
}

}  // namespace

TEST_CASE("control pairs keep pictures and prompts, and replace c-") {
  const TempDir dir;
  for (const std::string kind : {"empty", "unrelated", "equal"}) {
    const std::vector<Json> lines = control(dir.path().string(), kind);
    REQUIRE(lines.size() == 3);
    for (size_t i = 0; i < 3; ++i) {
      CAPTURE(kind);
      CHECK(lines[i].at("prompt").as_string() == (i < 2 ? "a red circle" : "two blue squares"));
      CHECK(lines[i].at("pos_file").as_string() == "../removal/w" + std::to_string(i) + ".png");
      CHECK(lines[i].at("neg_file").as_string() == "../removal/l" + std::to_string(i) + ".png");
    }
  }
  CHECK(control(dir.path().string(), "empty")[2].at("neg_prompt").as_string() == "");
  CHECK(control(dir.path().string(), "equal")[2].at("neg_prompt").as_string() == "two blue squares");
  const std::vector<Json> unrelated = control(dir.path().string(), "unrelated");
  CHECK(unrelated[0].at("neg_prompt").as_string() == "two blue squares");
  CHECK(unrelated[1].at("neg_prompt").as_string() == "two blue squares");
  CHECK(unrelated[2].at("neg_prompt").as_string() == "a red circle");
}

TEST_CASE("swapped control pairs exchange c and c-, winner and loser") {
  const TempDir dir;
  const std::vector<Json> lines = control(dir.path().string(), "swapped");
  CHECK(lines[1].at("prompt").as_string() == "red circle");
  CHECK(lines[1].at("neg_prompt").as_string() == "a red circle");
  CHECK(lines[1].at("pos_file").as_string() == "../removal/l1.png");
  CHECK(lines[1].at("neg_file").as_string() == "../removal/w1.png");
}

TEST_CASE("control pairs of an unknown kind, or of one prompt alone, are refused") {
  const TempDir dir;
  const std::string folder = dir.path().string(), from = write_pairs(folder);
  CHECK_THROWS_AS(write_control_pairs(from, folder + "/x", "reversed"), ValueError);
  CHECK_FALSE(std::filesystem::exists(folder + "/x"));
  write_json_lines(folder + "/one/metadata.jsonl", {pair("0", "a circle", "a"), pair("1", "a circle", "circle")});
  CHECK_THROWS_AS(write_control_pairs(folder + "/one", folder + "/y", "unrelated"), ValueError);
}

TEST_CASE("negative prompts are the prompts with words left out; one word has none") {
  const TempDir dir;
  const std::string from = (dir.path() / "a.jsonl").string(), to = (dir.path() / "b.jsonl").string();
  std::vector<Json> prompts;
  for (const char* text : {"a red circle above a blue square", "circle"})
    prompts.push_back(Json::object().set("prompt", text));
  write_json_lines(from, prompts);
  write_negative_prompts(from, to, RandomKey{.seed = 3});
  const std::vector<Json> lines = test::read_lines(to);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].at("prompt").as_string() == "a red circle above a blue square");
  const std::string negative = lines[0].at("negative_prompt").as_string();
  CHECK_FALSE(negative.empty());
  CHECK(negative.size() < lines[0].at("prompt").as_string().size());
  CHECK(lines[1].at("negative_prompt").as_string() == "");
}
