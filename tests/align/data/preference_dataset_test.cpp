#include "align/data/preference_dataset.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <map>

#include "engine/error.h"
#include "engine/io/file.h"
#include "engine/io/png.h"
#include "engine/io/safetensors.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "tests/support/data_folder.h"
#include "tests/support/raw_tar.h"

using namespace plumb;
using plumb::test::plain_picture;
using plumb::test::png_bytes;
using plumb::test::tar_end;
using plumb::test::tar_member;

namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

/// A folder to fill, and what is said of it.
struct Tree : test::DataFolder {
  const Tree& latents(const std::string& name, const Tensor& value) const {
    save_safetensors(dir / name, {{"latents", value}});
    return *this;
  }
  static std::string error_of(const std::string& path) {
    try {
      read_preference_dataset(path);
    } catch (const IoError& error) {
      return error.what();
    }
    return "reads";
  }
  std::string error() const { return error_of(root()); }
};

bool contains(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

std::string file_name(const PictureSource& source) {
  return fs::path(source.member.empty() ? source.file : source.member).filename().string();
}

/// id, prompt, winner, loser, label, and c- after a bar each.
Strings rows(const PreferenceDataset& dataset) {
  Strings all;
  for (const PreferenceSample& each : dataset.samples) {
    all.push_back(each.id + " " + each.prompt + " " + file_name(each.winner) + " " + file_name(each.loser) + " " +
                  std::to_string(each.label));
    for (const std::string& text : each.negatives) all.back() += "|" + text;
  }
  return all;
}

}  // namespace

TEST_CASE("preference data: our own metadata, pictures") {
  Tree tree;
  tree.picture("w/0.png", 1).picture("l/0.png", 2).picture("w/1.png", 3).picture("l/1.png", 4);
  tree.text("metadata.jsonl",
            R"({"id": "a", "prompt": "red", "neg_prompt": "", "pos_file": "w/0.png", "neg_file": "l/0.png"}
{"prompt": "größe", "neg_prompts": ["x", "y", "x"], "pos_file": "w/1.png", "neg_file": "l/1.png", "seed": 3})");
  const PreferenceDataset dataset = read_preference_dataset(tree.root());
  CHECK(dataset.layout == "plumb pairs");
  CHECK(rows(dataset) == Strings{"a red 0.png 0.png 0|", "1 größe 1.png 1.png 0|x|y"});
  CHECK(read_picture(dataset.samples[1].loser) == plain_picture(4));
  CHECK(dataset.has_losers());
  CHECK(dataset.has_negatives());
  CHECK_FALSE(dataset.is_unpaired());
  CHECK_FALSE(dataset.latents);
  CHECK(is_preference_dataset(tree.root()));
  CHECK(is_preference_dataset(tree.root() + "/metadata.jsonl"));
  const PictureDataset pictures = pictures_of(dataset);
  REQUIRE(pictures.samples.size() == 4);
  CHECK(read_picture(pictures.samples[1].source) == plain_picture(3));
  CHECK(read_picture(pictures.samples[2].source) == plain_picture(2));
  CHECK(pictures.samples[3].caption == "größe");
}

TEST_CASE("preference data: latents, and winners alone") {
  Tree tree;
  const Tensor value = from_vector<float>({1, -2, 3, 4, 5, 6.5f}, {3, 1, 2});
  tree.latents("0.safetensors", value).latents("1.safetensors", value.to(DType::f64) * 2.0);
  tree.text("train/metadata.jsonl", "");
  tree.text("metadata.jsonl",
            "{\"prompt\": \"p\", \"pos_file\": \"0.safetensors\"}\n"
            "{\"prompt\": \"q\", \"pos_file\": \"1.safetensors\", \"neg_file\": null}\n");
  const PreferenceDataset dataset = read_preference_dataset(tree.root());
  CHECK(dataset.latents);
  CHECK_FALSE(dataset.has_losers());
  CHECK_FALSE(dataset.has_negatives());
  CHECK(pictures_of(dataset).samples.size() == 2);
  const Tensor read = read_latents(dataset.samples[1].winner);
  CHECK(read.dtype() == DType::f32);
  CHECK(read.shape() == Shape{3, 1, 2});
  CHECK(read.to_vector<float>() == std::vector<float>{2, -4, 6, 8, 10, 13});

  tree.latents("rank.safetensors", zeros({1, 3, 1, 2})).latents("type.safetensors", zeros({3, 1, 2}, DType::i64));
  tree.latents("nan.safetensors", full({3, 1, 2}, std::numeric_limits<double>::quiet_NaN()));
  for (const char* name : {"rank", "type", "nan"})
    CHECK_THROWS_AS(read_latents({.file = (tree.dir / (std::string(name) + ".safetensors")).string()}), IoError);
}

TEST_CASE("preference data: two sets of ours may share pictures, other layouts stay in their folder") {
  Tree tree;
  tree.picture("one/a.png", 1).picture("one/b.png", 2);
  tree.text("two/metadata.jsonl", R"({"prompt": "p", "pos_file": "../one/b.png", "neg_file": "../one/a.png"})");
  CHECK(rows(read_preference_dataset(tree.root() + "/two")) == Strings{"0 p b.png a.png 0"});
  tree.text("two/metadata.jsonl", R"({"prompt": "p", "chosen": "../one/b.png", "rejected": "../one/a.png"})");
  CHECK(contains(tree.error_of(tree.root() + "/two"), "relative to the metadata's folder"));
}

TEST_CASE("preference data: imagefolder pairs as jsonl and csv") {
  for (const bool csv : {false, true}) {
    Tree tree;
    tree.picture("train/a.png", 1).picture("train/b.jpg", 2);
    if (csv)
      tree.text("train/metadata.csv", "prompt,chosen_file_name,rejected_file_name\n\"p, q\",b.jpg,a.png\n");
    else
      tree.text("train/metadata.jsonl", R"({"prompt": "p, q", "chosen": "b.jpg", "rejected": "a.png"})");
    const PreferenceDataset dataset = read_preference_dataset(tree.root());
    CHECK(dataset.layout == "imagefolder pairs");
    CHECK(rows(dataset) == Strings{"0 p, q b.jpg a.png 0"});
    CHECK(is_preference_dataset(tree.root()));
  }
}

TEST_CASE("preference data: pick-a-pic as a table and as shards; ties are counted") {
  Tree table;
  table.picture("a.png", 1).picture("b.png", 2);
  table.text("metadata.csv", "caption,jpg_0,jpg_1,label_0\nx,a.png,b.png,1.0\ny,a.png,b.png,0\nz,a.png,b.png,0.5\n");
  PreferenceDataset dataset = read_preference_dataset(table.root());
  CHECK(dataset.layout == "pick-a-pic");
  CHECK(rows(dataset) == Strings{"0 x a.png b.png 0", "1 y b.png a.png 0"});
  CHECK(dataset.ties == 1);

  Tree tree;
  const std::string first =
      tar_member("d/000.jpg_0.jpg", png_bytes(1)) + tar_member("d/000.jpg_1.jpg", png_bytes(2)) +
      tar_member("d/000.label_0.txt", "0\n") + tar_member("d/000.original_prompt.txt", "a cat\n") +
      tar_member("d/001.json", R"({"label_0": 0.5, "caption": "tie"})") + tar_member("d/001.jpg_0", png_bytes(3)) +
      tar_member("d/001.jpg_1", png_bytes(4)) + tar_end();
  const std::string second = tar_member("002.png_0", png_bytes(5)) + tar_member("002.png_1", png_bytes(6)) +
                             tar_member("002.json", R"({"label_0": 1, "caption": "a dog", "model_0": "m"})") +
                             tar_end();
  tree.text("s-00.tar", first).text("s-01.tar", second);
  for (const std::string& path : {tree.root(), tree.root() + "/s-{00..01}.tar"}) {
    dataset = read_preference_dataset(path);
    CHECK(dataset.layout == "pick-a-pic");
    CHECK(rows(dataset) == Strings{"d/000 a cat 000.jpg_1.jpg 000.jpg_0.jpg 0", "002 a dog 002.png_0 002.png_1 0"});
    CHECK(dataset.ties == 1);
    CHECK(read_picture(dataset.samples[0].winner) == plain_picture(2));
    CHECK(is_preference_dataset(path));
  }
}

TEST_CASE("preference data: Diffusion-KTO's table") {
  Tree tree;
  tree.picture("train/a.png", 1).picture("b.png", 2).picture("c.png", 3);
  tree.text("t.csv",
            "file_path,caption,label,split\na.png,x,exclusive_win,train\nb.png,y,exclusive_lose,\nc.png,z,1,test\n");
  const PreferenceDataset dataset = read_preference_dataset(tree.root() + "/t.csv");
  CHECK(dataset.layout == "kto");
  CHECK(rows(dataset) == Strings{"0 x a.png  1", "1 y b.png  -1"});
  CHECK(dataset.is_unpaired());
  CHECK(is_preference_dataset(tree.root() + "/t.csv"));
  // Numbers could be classes: not taken for preferences unasked, but read when asked to.
  tree.text("metadata.jsonl",
            "{\"file_name\": \"b.png\", \"text\": \"x\", \"label\": 1}\n{\"file_name\": \"c.png\", "
            "\"text\": \"y\", \"label\": false}");
  CHECK_FALSE(is_preference_dataset(tree.root()));
  CHECK(rows(read_preference_dataset(tree.root())) == Strings{"0 x b.png  1", "1 y c.png  -1"});
}

TEST_CASE("preference data: every fault is refused by line, or left out and counted") {
  const std::string good = R"({"id": "g", "prompt": "p", "pos_file": "a.png", "neg_file": "b.png"})";
  const std::vector<std::pair<const char*, const char*>> faults = {
      {R"({"prompt": "p", "neg_file": "b.png"})", "must name a file under \"pos_file\""},
      {R"({"prompt": "p", "pos_file": "", "neg_file": "b.png"})", "must name a file under \"pos_file\""},
      {R"({"pos_file": "a.png", "neg_file": "b.png"})", "must have a prompt"},
      {R"({"prompt": 3.5e1, "pos_file": ["a.png"], "neg_file": "b.png"})", "must name a file"},
      {R"({"prompt": "p", "pos_file": "none.png", "neg_file": "b.png"})", "no file"},
      {R"({"prompt": "p", "pos_file": "a.png", "neg_file": "/b.png"})", "relative to the metadata's folder"},
      {R"({"prompt": "p", "pos_file": "a.png", "neg_file": "./a.png"})", "must be two files"},
      {R"({"prompt": "p", "pos_file": "empty.png", "neg_file": "b.png"})", "must not be empty"},
      {R"({"prompt": "p", "pos_file": "a.txt", "neg_file": "b.png"})", "must be .png, .jpg, .jpeg or .safetensors"},
      {R"({"prompt": "p", "pos_file": "a.safetensors", "neg_file": "b.png"})", "both be pictures or both latents"},
      {R"({"prompt": "p", "pos_file": "a.safetensors", "neg_file": "b.safetensors"})", "all have pictures or all"},
      {R"({"prompt": "p", "pos_file": "a.png"})", "all rows or none must have a loser"},
      {R"({"id": "g", "prompt": "p", "pos_file": "b.png", "neg_file": "a.png"})", "id must be given once"},
      {R"({"prompt": "p", "neg_prompts": "x", "pos_file": "b.png", "neg_file": "a.png"})", "must be a list"},
      {R"({"prompt": "p", "neg_prompts": [1], "pos_file": "b.png", "neg_file": "a.png"})", "must hold strings"},
  };
  for (const auto& [fault, expected] : faults) {
    CAPTURE(fault);
    Tree tree;
    tree.picture("a.png", 1).picture("b.png", 2).text("empty.png", "").text("a.txt", "x");
    tree.latents("a.safetensors", ones({1, 2, 2})).latents("b.safetensors", ones({1, 2, 2}));
    tree.text("metadata.jsonl", good + "\n" + fault + "\n");
    CHECK(contains(tree.error(), expected));
    CHECK(contains(tree.error(), "metadata.jsonl:2: "));
    const PreferenceDataset dataset = read_preference_dataset(tree.root(), {.skip_broken = true});
    CHECK(dataset.samples.size() == 1);
    REQUIRE(dataset.skipped.size() == 1);
    CHECK(contains(dataset.skipped[0], expected));
  }
}

TEST_CASE("preference data: labels that are none, sets without a usable row") {
  Tree kto;
  kto.picture("a.png").text("t.csv", "file_path,caption,label\na.png,x,2\n");
  CHECK(contains(kto.error_of(kto.root() + "/t.csv"), "t.csv:2: label must be 1 or 0"));
  CHECK_THROWS_WITH_AS(read_preference_dataset(kto.root() + "/t.csv", {.skip_broken = true}),
                       doctest::Contains("no preference can be used (0 ties, 1 broken rows"), IoError);
  Tree tree;
  CHECK(contains(tree.error(), "must be a folder with metadata.jsonl"));
  CHECK(contains(tree.error_of(tree.root() + "/none"), "there is nothing"));
  tree.picture("a.png").picture("b.png").text("metadata.jsonl", "\n");
  CHECK(contains(tree.error(), "must have rows"));
  tree.text("metadata.jsonl", R"({"file_name": "a.png", "text": "x"})");
  CHECK(contains(tree.error(), "metadata.jsonl:1: rows must be preferences"));
  CHECK_FALSE(is_preference_dataset(tree.root()));
  for (const char* label : {"2", "-1", "0.25", "\"\"", "\"one\"", "null", "[]"}) {
    CAPTURE(label);
    tree.text("metadata.jsonl",
              std::string(R"({"caption": "c", "jpg_0": "a.png", "jpg_1": "b.png", "label_0": )") + label + "}");
    CHECK(contains(tree.error(), "metadata.jsonl:1: "));
    CHECK(contains(tree.error(), "label_0"));
  }
  tree.text("metadata.jsonl", R"({"caption": "c", "jpg_0": "a.png", "jpg_1": "b.png", "label_0": 0.5})");
  CHECK(contains(tree.error(), "no preference can be used (1 ties"));
}

TEST_CASE("preference data: broken shards") {
  const auto error_of = [](const std::string& bytes) {
    Tree tree;
    tree.text("s.tar", bytes + tar_end());
    return tree.error();
  };
  const std::string first = tar_member("0.jpg_0", png_bytes(1)), second = tar_member("0.jpg_1", png_bytes(2));
  const std::string label = tar_member("0.label_0", "1"), text = tar_member("0.caption", "c");
  const std::string other = tar_member("1.jpg_0", png_bytes(1)) + tar_member("1.jpg_1", png_bytes(2)) +
                            tar_member("1.label_0", "1") + tar_member("1.txt", "t");
  CHECK(error_of(first + second + label + text + other) == "reads");
  CHECK(contains(error_of(second + label + text), "s.tar: 0: sample must have jpg_0"));
  CHECK(contains(error_of(first + label + text), "must have jpg_1"));
  CHECK(contains(error_of(first + second + text), "must have label_0"));
  CHECK(contains(error_of(first + second + label), "must have a caption"));
  CHECK(contains(error_of(first + second + text + tar_member("0.label_0", "x")), "label_0 must be"));
  CHECK(contains(error_of(first + tar_member("0.jpg_1", "") + label + text), "must not be empty"));
  CHECK(contains(error_of(first + second + label + text + tar_member("0.jpeg_1.jpg", "x")), "must have one jpg_1"));
  CHECK(contains(error_of(first + second + label + text + other + first), "must lie together"));
  Tree tree;
  tree.text("s.tar", first + label + text + other + tar_end());
  const PreferenceDataset dataset = read_preference_dataset(tree.root(), {.skip_broken = true});
  CHECK(dataset.samples.size() == 1);
  CHECK(dataset.skipped.size() == 1);
}

TEST_CASE("preference data: what cannot be decoded is dropped and counted") {
  Tree tree;
  tree.picture("a.png", 1).picture("b.png", 2).text("c.png", "no picture").text("d.png", png_bytes(3).substr(0, 40));
  tree.text("metadata.jsonl",
            "{\"prompt\": \"p\", \"pos_file\": \"a.png\", \"neg_file\": \"c.png\"}\n"
            "{\"prompt\": \"q\", \"pos_file\": \"a.png\", \"neg_file\": \"b.png\"}\n"
            "{\"prompt\": \"r\", \"pos_file\": \"d.png\", \"neg_file\": \"b.png\"}\n");
  PreferenceDataset dataset = read_preference_dataset(tree.root());
  CHECK(dataset.samples.size() == 3);
  drop_unreadable(dataset);
  CHECK(rows(dataset) == Strings{"1 q a.png b.png 0"});
  REQUIRE(dataset.skipped.size() == 2);
  CHECK(contains(dataset.skipped[0], "c.png"));
  CHECK(contains(dataset.skipped[1], "d.png"));

  Tree latents;
  latents.latents("a.safetensors", ones({1, 2, 2})).latents("b.safetensors", ones({1, 2, 3}));
  latents.latents("c.safetensors", ones({1, 2, 2}));
  latents.text("metadata.jsonl",
               "{\"prompt\": \"p\", \"pos_file\": \"a.safetensors\", \"neg_file\": \"b.safetensors\"}\n"
               "{\"prompt\": \"q\", \"pos_file\": \"a.safetensors\", \"neg_file\": \"c.safetensors\"}\n");
  dataset = read_preference_dataset(latents.root());
  drop_unreadable(dataset);
  CHECK(rows(dataset) == Strings{"1 q a.safetensors c.safetensors 0"});
  CHECK(contains(dataset.skipped.at(0), "must be of one size"));
}

TEST_CASE("preference data: the hash is that of what was read, not of where it lies") {
  const auto fill = [](Tree& tree, float last, const char* negative) {
    tree.latents("a.safetensors", ones({1, 2, 2})).latents("b.safetensors", full({1, 2, 2}, last));
    tree.text("metadata.jsonl", std::string(R"({"prompt": "p", "neg_prompt": ")") + negative +
                                    R"(", "pos_file": "a.safetensors", "neg_file": "b.safetensors"})");
    return hash_of(read_preference_dataset(tree.root()));
  };
  Tree one, other;
  const std::string hash = fill(one, 2, "n");
  CHECK(fill(other, 2, "n") == hash);
  CHECK(fill(other, 3, "n") != hash);
  CHECK(fill(other, 2, "m") != hash);
  // Large files are known by their ends.
  const auto large = [](Tree& tree, size_t at) {
    std::string bytes(200'000, 'x');
    bytes[at] = 'y';
    tree.text("a.png", bytes)
        .picture("b.png")
        .text("metadata.jsonl", R"({"prompt": "p", "pos_file": "a.png", "neg_file": "b.png"})");
    return hash_of(read_preference_dataset(tree.root()));
  };
  CHECK(large(one, 0) != large(one, 199'999));
  CHECK(large(one, 0) == large(other, 0));
}

TEST_CASE("preference data: bytes changed at random are read or refused in one line, never anything else") {
  const std::string line =
      R"({"id": 1, "prompt": "a \u00e9 b", "neg_prompts": ["a"], "pos_file": "a.png", "neg_file": "b.png"})";
  const std::string table = line + "\n" + R"({"prompt": "q", "pos_file": "b.png", "neg_file": "a.png"})" + "\n";
  const std::string csv = "file_path,caption,label\na.png,\"x, y\",1\nb.png,z,exclusive_lose\n";
  const std::string tar = tar_member("0.jpg_0", png_bytes(1)) + tar_member("0.jpg_1", png_bytes(2)) +
                          tar_member("0.json", R"({"label_0": 1, "caption": "c"})") + tar_end();
  Tree tree;
  tree.picture("a.png", 1).picture("b.png", 2);
  int64_t read = 0, refused = 0;
  for (const auto& [name, whole] :
       {std::pair<std::string, std::string>{"t.jsonl", table}, {"t.csv", csv}, {"t.tar", tar}})
    for (uint64_t round = 0; round < 400; ++round) {
      const RandomKey key = RandomKey{.seed = 5}.fork(name).at_step(round);
      const std::vector<int64_t> draws = randint(key, 0, int64_t(1) << 40, {4}).to_vector<int64_t>();
      std::string bytes = whole;
      if (round % 4 == 0) bytes.resize(size_t(draws[0]) % bytes.size());
      for (size_t i = 1; i <= 1 + round % 3 && !bytes.empty(); ++i)
        bytes[size_t(draws[i]) % bytes.size()] = char(draws[0] >> i & 127);
      tree.text(name, bytes);
      for (const bool skip : {false, true}) try {
          const PreferenceDataset dataset = read_preference_dataset((tree.dir / name).string(), {.skip_broken = skip});
          CHECK_FALSE(dataset.samples.empty());
          CHECK(skip >= !dataset.skipped.empty());
          ++read;
        } catch (const IoError& error) {
          CHECK(std::string(error.what()).size() > 10);
          ++refused;
        }
    }
  CHECK(read > 100);
  CHECK(refused > 100);
}

namespace {

PreferenceDataset made_up(const Strings& prompts) {
  PreferenceDataset dataset;
  for (size_t i = 0; i < prompts.size(); ++i)
    dataset.samples.push_back({.id = std::to_string(i),
                               .prompt = prompts[i],
                               .negatives = {std::string("less ").append(prompts[i])},
                               .winner = {.file = std::string("w").append(std::to_string(i))}});
  return dataset;
}

}  // namespace

TEST_CASE("preference data: losers are winners of other prompts, all alike") {
  const Strings prompts = {"a", "b", "a", "c", "b", "a"};
  const PreferenceDataset dataset = made_up(prompts);
  std::map<std::pair<int, int>, int> counts;
  const int rounds = 600;
  for (int round = 0; round < rounds; ++round) {
    const RandomKey key{.seed = uint64_t(round)};
    const PreferenceDataset positive = with_losers(dataset, LoserSource::rand_positive, key);
    const PreferenceDataset paired = with_losers(dataset, LoserSource::not_paired, key);
    for (size_t i = 0; i < prompts.size(); ++i) {
      const int other = positive.samples[i].loser.file[1] - '0';
      ++counts[{int(i), other}];
      CHECK(positive.samples[i].winner.file == dataset.samples[i].winner.file);
      CHECK(positive.samples[i].negatives == Strings{prompts[size_t(other)]});
      CHECK(paired.samples[i].loser.file == positive.samples[i].loser.file);
      CHECK(paired.samples[i].negatives == dataset.samples[i].negatives);
    }
  }
  for (int i = 0; i < 6; ++i)
    for (int other = 0; other < 6; ++other) {
      const bool differs = prompts[size_t(i)] != prompts[size_t(other)];
      const int candidates = prompts[size_t(i)] == "a" ? 3 : prompts[size_t(i)] == "b" ? 4 : 5;
      const double expected = differs ? double(rounds) / candidates : 0;
      CHECK(std::abs(counts[{i, other}] - expected) <= 5 * std::sqrt(expected));
    }
  // A sample's draw does not depend on what lies behind it.
  PreferenceDataset fewer = dataset;
  fewer.samples[5].negatives = {"else"};
  const RandomKey key{.seed = 9};
  CHECK(with_losers(fewer, LoserSource::not_paired, key).samples[0].loser.file ==
        with_losers(dataset, LoserSource::not_paired, key).samples[0].loser.file);
}

TEST_CASE("preference data: losers that cannot be had, one sample a prompt, names") {
  const RandomKey key{.seed = 1};
  CHECK_THROWS_AS(with_losers(made_up({"a", "a"}), LoserSource::not_paired, key), ValueError);
  CHECK_THROWS_AS(with_losers(made_up({"a"}), LoserSource::rand_positive, key), ValueError);
  CHECK_THROWS_WITH_AS(with_losers(made_up({"a", "b"}), LoserSource::paired, key), doctest::Contains("--loser_source"),
                       ValueError);
  PreferenceDataset labelled = made_up({"a", "b"});
  labelled.samples[1].label = -1;
  CHECK_THROWS_AS(with_losers(labelled, LoserSource::not_paired, key), ValueError);
  CHECK(rows(one_sample_a_prompt(made_up({"b", "a", "b", "c", "a"}))) ==
        Strings{"0 b w0  0|less b", "1 a w1  0|less a", "3 c w3  0|less c"});
  CHECK(loser_source_from_name("paired") == LoserSource::paired);
  CHECK(loser_source_from_name("rand_positive") == LoserSource::rand_positive);
  CHECK(loser_source_from_name("not_paired") == LoserSource::not_paired);
  CHECK_THROWS_AS(loser_source_from_name("none"), ValueError);
}
