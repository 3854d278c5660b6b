#include "align/eval/score_file.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/error.h"
#include "engine/io/file.h"
#include "tests/support/numeric.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using namespace plumb::test;

namespace {

constexpr const char* kLines =
    R"({"file": "b.png", "prompt": "two rings", "seed": 9, "category": "counting", "correct": true, "quality": 0.5}
{"file": "c.png", "prompt": "a star", "seed": 4, "category": "single", "correct": false, "quality": null, "reading": {"objects": []}}

{"file": "a.png", "prompt": "two rings", "seed": 2, "category": "counting", "correct": 1, "partial": 0.25}
)";

class Scores {
 public:
  std::string refuses(const std::string& text, const std::vector<std::string>& fields = {}) {
    const std::string path = write(text);
    const std::string message = message_of([&] { read_scores(path, fields); });
    CHECK(message.starts_with(path));
    return message.starts_with(path) ? message.substr(path.size()) : message;
  }
  std::string write(const std::string& text) {
    write_file_atomic(folder_ / "scores.jsonl", text);
    return folder_ / "scores.jsonl";
  }

 private:
  TempDir folder_;
};

}  // namespace

TEST_CASE("score file: numbers and booleans, sorted by prompt and seed; null and absent are no value") {
  Scores scores;
  const ScoreFile file = read_scores(scores.write(kLines));
  CHECK(file.fields == std::vector<std::string>{"correct", "quality", "partial"});
  REQUIRE(file.pictures.size() == 3);
  CHECK(file.pictures[0].prompt == "a star");
  CHECK(file.pictures[0].category == "single");
  CHECK(file.pictures[0].values[0] == 0);
  CHECK(std::isnan(file.pictures[0].values[1]));
  CHECK(std::isnan(file.pictures[0].values[2]));
  CHECK(file.pictures[1].seed == 2);
  CHECK(file.pictures[1].values[0] == 1);
  CHECK(std::isnan(file.pictures[1].values[1]));
  CHECK(file.pictures[1].values[2] == 0.25);
  CHECK(file.pictures[2].seed == 9);
  const ScoreFile chosen = read_scores(scores.write(kLines), {"partial", "correct"});
  CHECK(chosen.fields == std::vector<std::string>{"partial", "correct"});
  CHECK(chosen.pictures[1].values == std::vector<double>{0.25, 1});
}

TEST_CASE("score file: no category is one category") {
  Scores scores;
  const ScoreFile file = read_scores(scores.write(R"({"prompt": "", "seed": 0, "pick_score": 21.5})"));
  CHECK(file.pictures[0].category.empty());
  CHECK(file.pictures[0].values == std::vector<double>{21.5});
}

TEST_CASE("score file: refuses what it cannot use, naming the line") {
  Scores scores;
  CHECK(scores.refuses("\n") == ": there must be a line of scores; score the folder again");
  CHECK(scores.refuses(R"({"seed": 1, "correct": true})") ==
        ":1: line must have a \"prompt\", a text; score the folder again with plumb shapes score");
  CHECK(scores.refuses("{\"prompt\": \"x\", \"seed\": 1, \"correct\": true}\n{\"prompt\": \"x\", \"seed\": 1.5}") ==
        ":2: line must have a \"seed\", a whole number; score the folder again with plumb shapes score");
  CHECK(scores.refuses(R"({"prompt": "x", "seed": 1, "category": 3, "correct": true})") ==
        ":1: line must have a \"category\", a text; score the folder again with plumb shapes score");
  CHECK(scores.refuses("{\"prompt\": \"x\", \"seed\": 1, \"correct\": true}\n{\"prompt\": \"x\", \"seed\": 2, "
                       "\"correct\": \"yes\"}") ==
        ":2: \"correct\" must be a number, true, false or null (it is \"yes\")");
  CHECK(scores.refuses("{\"prompt\": \"x\", \"seed\": 1, \"correct\": true}\n\n{\"prompt\": \"x\", \"seed\": 1, "
                       "\"correct\": true}") ==
        ":3: prompt \"x\" with seed 1 is also on line 1; a picture has one line");
  CHECK(scores.refuses(kLines, {"correct", "beauty"}) ==
        ": no line has a number \"beauty\"; it has correct, quality, partial");
  CHECK(scores.refuses(R"({"prompt": "x", "seed": 1})") ==
        ": no line has a number besides its seed; nothing can be averaged");
  CHECK(scores.refuses("{\"prompt\": ").starts_with(":1: line must be one JSON object"));
}
