#include "apps/data/check_preferences.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "apps/common/exit_codes.h"
#include "apps/data/data.h"
#include "engine/io/file.h"
#include "engine/io/png.h"
#include "engine/io/safetensors.h"
#include "engine/ops.h"
#include "tests/support/data_folder.h"

using namespace plumb;

namespace {

/// A folder to fill, with pictures of several widths, and what is said of it.
struct Tree : test::DataFolder {
  void picture(const std::string& name, uint8_t shade, int64_t width = 2) const {
    write_png(dir / name, {width, 2, 3, std::vector<uint8_t>(size_t(width) * 6, shade)});
  }
  Json described() const { return describe_preferences(read_preference_dataset(root(), {.skip_broken = true})); }
};

Json parsed(const char* text) { return Json::parse(text); }

}  // namespace

TEST_CASE("data check: a sound set of pairs, one picture in two of them") {
  Tree tree;
  tree.picture("a.png", 1), tree.picture("b.png", 2), tree.picture("c.png", 3, 5);
  tree.text("metadata.jsonl",
            "{\"prompt\": \"x\", \"neg_prompts\": [\"p\", \"q\"], \"pos_file\": \"a.png\", \"neg_file\": \"b.png\"}\n"
            "{\"prompt\": \"x\", \"neg_prompt\": \"p\", \"pos_file\": \"c.png\", \"neg_file\": \"b.png\"}\n");
  const Json found = tree.described();
  CHECK(found.at("pairs") == Json(2));
  CHECK(found.at("files") == Json(3));
  CHECK(found.at("prompts") == parsed(R"({"distinct": 1, "most_pairs": 2, "empty": 0, "longest_bytes": 1})"));
  CHECK(found.at("negatives") == parsed(R"({"pairs": 2, "most": 2, "fewest": 1})"));
  CHECK(found.at("sizes") == parsed(R"([{"size": "2 x 2", "files": 2}, {"size": "5 x 2", "files": 1}])"));
  CHECK(found.at("alike") == Json::array());
  CHECK(found.at("broken") == Json::array());
  const std::string text = format_preferences(found);
  CHECK(text.starts_with("plumb pairs: 2 pairs, 3 files of pictures, 0.0 MiB\nprompts: 1 distinct, at most 2 times"));
  CHECK(text.find("degraded prompts: for 2, 1 to 2 each\n") != text.npos);
  CHECK(run_data({"check", tree.root(), "--json", "--threads", "1"}) == kExitDone);
  CHECK(run_data({"check", tree.root() + "/metadata.jsonl"}) == kExitDone);
}

TEST_CASE("data check: every broken pair is a line, and the verb fails") {
  Tree tree;
  tree.picture("a.png", 1), tree.picture("b.png", 2), tree.picture("same.png", 1);
  tree.text("cut.png", read_file(tree.dir / "a.png").substr(0, 50));
  tree.text("metadata.jsonl",
            "{\"id\": \"good\", \"prompt\": \"x\", \"pos_file\": \"a.png\", \"neg_file\": \"b.png\"}\n"
            "{\"id\": \"cut\", \"prompt\": \"y\", \"pos_file\": \"a.png\", \"neg_file\": \"cut.png\"}\n"
            "{\"id\": \"alike\", \"prompt\": \"z\", \"pos_file\": \"a.png\", \"neg_file\": \"same.png\"}\n"
            "{\"id\": \"gone\", \"prompt\": \"z\", \"pos_file\": \"gone.png\", \"neg_file\": \"b.png\"}\n");
  const Json found = tree.described();
  CHECK(found.at("pairs") == Json(3));
  REQUIRE(found.at("broken").size() == 2);
  CHECK(found.at("broken")[0].as_string().find("metadata.jsonl:4: no file") != std::string::npos);
  CHECK(found.at("broken")[1].as_string().starts_with("cut: "));
  CHECK(found.at("alike") == parsed(R"(["alike"])"));
  CHECK(format_preferences(found).find("winner and loser are the same: 1\n  alike\n") != std::string::npos);
  CHECK_THROWS_WITH_AS(run_data({"check", tree.root()}), doctest::Contains("2 of 4 preferences are broken"),
                       UsageError);
}

TEST_CASE("data check: latents of two sizes, and labels that are only read as preferences when told") {
  Tree latents;
  for (const auto& [name, width] : {std::pair{"a", 2}, {"b", 2}, {"c", 3}})
    save_safetensors(latents.dir / (std::string(name) + ".safetensors"), {{"latents", full({1, 2, width}, width)}});
  latents.text("metadata.jsonl",
               "{\"prompt\": \"x\", \"pos_file\": \"a.safetensors\", \"neg_file\": \"b.safetensors\"}\n"
               "{\"prompt\": \"y\", \"pos_file\": \"a.safetensors\", \"neg_file\": \"c.safetensors\"}\n");
  const Json found = latents.described();
  CHECK(found.at("latents") == Json(true));
  CHECK(found.at("alike").size() == 1);
  REQUIRE(found.at("broken").size() == 1);
  CHECK(found.at("broken")[0].as_string().starts_with("1: latents must be of one size"));

  Tree kto;
  kto.picture("a.png", 1), kto.picture("b.png", 2);
  kto.text("metadata.csv", "file_name,text,label\na.png,x,1\nb.png,y,0\n");
  CHECK(run_data({"check", kto.root()}) == kExitDone);
  CHECK(run_data({"check", kto.root(), "--kind", "preferences"}) == kExitDone);
  CHECK(kto.described().at("unpaired") == parsed(R"({"liked": 1, "not_liked": 1})"));
  CHECK_THROWS_AS(run_data({"check", latents.root(), "--kind", "pictures"}), IoError);
}
