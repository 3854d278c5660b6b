#include "nn/data/picture_dataset.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "engine/error.h"
#include "engine/io/file.h"
#include "engine/io/jpeg.h"
#include "engine/io/png.h"
#include "nn/data/metadata_file.h"
#include "tests/support/data_folder.h"
#include "tests/support/raw_tar.h"

using namespace plumb;
using plumb::test::plain_picture;
using plumb::test::png_bytes;
using plumb::test::tar_end;
using plumb::test::tar_member;

namespace {

namespace fs = std::filesystem;

/// A folder to fill, and what is said of it.
struct Tree : test::DataFolder {
  static std::string error_of(const std::string& path) {
    try {
      read_picture_dataset(path);
    } catch (const IoError& error) {
      return error.what();
    }
    return "reads";
  }
  std::string error() const { return error_of(root()); }
};

bool contains(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

std::vector<std::string> captions(const PictureDataset& dataset) {
  std::vector<std::string> all;
  for (const PictureSample& sample : dataset.samples) all.push_back(sample.caption);
  return all;
}

using Strings = std::vector<std::string>;
using Numbers = std::vector<int64_t>;

}  // namespace

TEST_CASE("picture data: metadata.jsonl, in the folder or in train/") {
  Tree tree;
  tree.picture("train/b.png", 1).picture("train/sub/a.png", 2).picture("train/spare.png");
  tree.text("train/metadata.jsonl",
            "\xEF\xBB\xBF{\"file_name\": \"b.png\", \"text\": \"a größe\"}\r\n\n{\"file_name\": \"./sub/a.png\", "
            "\"text\": \"\"}");
  for (const std::string& path : {tree.root(), tree.root() + "/train"}) {
    const PictureDataset dataset = read_picture_dataset(path);
    CHECK(dataset.layout == "imagefolder");
    CHECK(captions(dataset) == Strings{"a größe", ""});
    CHECK(dataset.empty_captions == 1);
    CHECK(dataset.epoch == Numbers{0, 1});
    CHECK(dataset.unused.size() == 1);
    CHECK(read_picture(dataset.samples[1].source) == plain_picture(2));
  }
}

TEST_CASE("picture data: metadata.csv with quotes, labels by name and by number") {
  Tree tree;
  tree.picture("a.png").picture("b.png").picture("c.png");
  tree.text("metadata.csv",
            "file_name,text,label\na.png,\"red, \"\"round\"\"\",fish\nb.png,two,bird\r\nc.png,\"l1\nl2\",fish\n");
  PictureDataset dataset = read_picture_dataset(tree.root());
  CHECK(captions(dataset) == Strings{"red, \"round\"", "two", "l1\nl2"});
  CHECK(dataset.classes == Strings{"bird", "fish"});
  CHECK(dataset.samples[0].label == 1);
  tree.text("metadata.csv", "file_name,label\na.png,3\nb.png,0\nc.png,3\n");
  dataset = read_picture_dataset(tree.root());
  CHECK(dataset.classes.size() == 4);
  CHECK(dataset.samples[2].label == 3);
  CHECK(!dataset.has_captions);
}

TEST_CASE("picture data: what is wrong with metadata is named with file, line and fix") {
  Tree tree;
  tree.picture("a.png");
  const std::string file = tree.root() + "/metadata.jsonl";
  const auto with = [&](std::string_view text) {
    tree.text("metadata.jsonl", text);
    return tree.error();
  };
  CHECK(contains(with("{\"file_name\": \"a.png\"}\n{\"file_name\": \"b.png\"}\n"), file + ":2: no picture"));
  CHECK(contains(with("{\"file_name\": \"train/a.png\"}"), "write \"a.png\""));
  CHECK(contains(with("{\"file_name\": \"a.png\"}\n\n{\"file_name\": \"a.png\"}"),
                 ":3: picture must be named once (a.png is on line 1 too)"));
  CHECK(contains(with("{\"file_name\": \"a.png\", \"text\": \"\xFF\"}"), file + ":1: text must be UTF-8"));
  CHECK(contains(with("{\"image\": \"a.png\"}"), "row must name its picture; write \"file_name\""));
  CHECK(contains(with("{\"file_name\": \"a.png\", }"), file + ":1: line must be one JSON object"));
  CHECK(contains(with("[1]"), "must be one JSON object"));
  CHECK(contains(with("{\"file_name\": \"a.png\", \"text\": [1]}"), "\"text\" must be a string"));
  CHECK(contains(with("{\"file_name\": \"../a.png\"}"), "must be relative"));
  CHECK(contains(with("\n"), "metadata must have rows"));
  tree.picture("b.png");
  CHECK(contains(with("{\"file_name\": \"a.png\", \"text\": \"x\"}\n{\"file_name\": \"b.png\"}"),
                 ":2: row must have \"text\""));
  fs::remove(tree.dir / "metadata.jsonl");
  tree.text("metadata.json1", "{}");
  CHECK(contains(tree.error(), "metadata must be called metadata.jsonl or metadata.csv; rename"));
  fs::remove(tree.dir / "metadata.json1");
  tree.text("metadata.csv", "file_name,text\na.png,one,two\n");
  CHECK(contains(tree.error(), "metadata.csv:2: row must have 2 fields (3)"));
  tree.text("metadata.csv", "file_name,text\na.png,\"one\n");
  CHECK(contains(tree.error(), "metadata.csv:2: quotes must be closed"));
  tree.text("metadata.csv", "file_name,text\na.png,x\nb.png,\xFF\n");
  CHECK(contains(tree.error(), "metadata.csv:3: text must be UTF-8"));
  tree.text("metadata.jsonl", "{}");
  CHECK(contains(tree.error(), "must have one metadata file"));
}

TEST_CASE("picture data: kohya folders with repeats, and one folder with captions beside the pictures") {
  Tree tree;
  tree.picture("2_cat/a.png").text("2_cat/a.txt", "a cat\n").picture("2_cat/b.png").picture("1_dog/c.png");
  tree.text("1_dog/c.caption", " a dog ");
  const PictureDataset dataset = read_picture_dataset(tree.root());
  CHECK(dataset.layout == "kohya");
  CHECK(captions(dataset) == Strings{"a dog", "a cat", ""});
  CHECK(dataset.epoch == Numbers{0, 1, 2, 1, 2});
  CHECK(dataset.empty_captions == 1);
  CHECK(captions(read_picture_dataset(tree.root() + "/2_cat")) == Strings{"a cat", ""});
  tree.text("2_cat/b.txt", "\xFF");
  CHECK(contains(tree.error(), "b.txt: caption must be UTF-8"));
  tree.text("2_cat/b.txt", "fine").text("2_cat/none.txt", "nobody's");
  CHECK(contains(tree.error(), "none.txt: caption must have a picture"));
}

TEST_CASE("picture data: class folders, and pictures alone") {
  Tree tree;
  tree.picture("bird/x.png").picture("bird/y.png").picture("ant/z.png").text("bird/notes.md", "");
  const PictureDataset dataset = read_picture_dataset(tree.root());
  CHECK(dataset.classes == Strings{"ant", "bird"});
  CHECK(dataset.samples.front().label == 0);
  CHECK(dataset.samples.back().label == 1);
  const PictureDataset alone = read_picture_dataset(tree.root() + "/bird");
  CHECK((alone.classes.empty() && !alone.has_captions && alone.samples.size() == 2));
  CHECK(contains(tree.error_of(tree.root() + "/none"), "there is nothing"));
  fs::create_directory(tree.dir / "empty");
  CHECK(contains(tree.error_of(tree.root() + "/empty"), "path must hold pictures"));
}

TEST_CASE("picture data: webdataset shards") {
  Tree tree;
  const std::vector<uint8_t> jpeg = encode_jpeg(plain_picture(9));
  tree.text("s-000.tar", tar_member("d/0001.png", png_bytes(3)) + tar_member("d/0001.txt", "one\n") +
                             tar_member("d/0002.jpg", {reinterpret_cast<const char*>(jpeg.data()), jpeg.size()}) +
                             tar_member("d/0002.json", "{\"text\": \"two\", \"k\": 1}") + tar_end());
  tree.text("s-001.tar", tar_member("0001.PNG", png_bytes(4)) + tar_member("0001.txt", "three") + tar_end());
  for (const std::string& path : {tree.root(), tree.root() + "/s-{000..001}.tar"}) {
    const PictureDataset dataset = read_picture_dataset(path);
    CHECK(captions(dataset) == Strings{"one", "two", "three"});
    CHECK(read_picture(dataset.samples[2].source) == plain_picture(4));
    CHECK(dataset.samples[0].source.name() == tree.root() + "/s-000.tar: d/0001.png");
  }
  tree.text("l.tar", tar_member("a.png", png_bytes(1)) + tar_member("a.cls", "2") + tar_member("b.png", png_bytes(1)) +
                         tar_member("b.cls", "0"));
  CHECK(read_picture_dataset(tree.root() + "/l.tar").classes.size() == 3);
  tree.text("l.tar", tar_member("a.txt", "x") + tar_member("b.png", png_bytes(1)));
  CHECK(contains(tree.error_of(tree.root() + "/l.tar"), "l.tar: sample a must have a picture"));
  tree.text("l.tar", tar_member("a.jpg_0.jpg", "x") + tar_member("a.png", "") + tar_member("a.jpg", ""));
  CHECK(contains(tree.error_of(tree.root() + "/l.tar"), "sample must have one picture (a.png and a.jpg)"));
  tree.text("l.tar", tar_member("a.png", "x") + tar_member("b.png", "") + tar_member("a.txt", ""));
  CHECK(contains(tree.error_of(tree.root() + "/l.tar"), "members of sample a must lie together"));
  CHECK(contains(tree.error_of(tree.root() + "/s-{000..002}.tar"), "s-002.tar"));
  CHECK(contains(tree.error_of(tree.root() + "/s-{0002..1}.tar"), "pattern must be like"));
}

TEST_CASE("picture data: the hash follows captions, names and repeats, not the place") {
  Tree one, two;
  for (Tree* tree : {&one, &two}) tree->picture("1_x/a.png").text("1_x/a.txt", "cat");
  const std::string hash = hash_of(read_picture_dataset(one.root()));
  CHECK(hash == hash_of(read_picture_dataset(two.root())));
  CHECK(hash != hash_of(read_picture_dataset(two.text("1_x/a.txt", "dog").root())));
  fs::rename(one.dir / "1_x", one.dir / "2_x");
  CHECK(hash != hash_of(read_picture_dataset(one.root())));
}
