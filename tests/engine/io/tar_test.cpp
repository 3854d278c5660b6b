#include "engine/io/tar.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/io/file.h"
#include "engine/random/random_key.h"
#include "tests/support/raw_tar.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using plumb::test::tar_end;
using plumb::test::tar_header;
using plumb::test::tar_member;
using plumb::test::TempDir;

namespace {

struct Tar {
  TempDir dir;
  std::filesystem::path path = dir / "a.tar";

  std::vector<TarMember> list(const std::string& bytes) {
    write_file_atomic(path, bytes);
    return list_tar(path);
  }
  std::string error_of(const std::string& bytes) {
    try {
      list(bytes);
    } catch (const IoError& error) {
      return error.what();
    }
    return "lists";
  }
};

bool contains(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("tar: members with their bytes, folders and links passed over") {
  Tar tar;
  const std::string big(1500, 'b');
  const auto members = tar.list(tar_member("d/", "", '5') + tar_member("d/a.txt", "hello") + tar_member("l", "", '2') +
                                tar_member("b", big) + tar_member("empty", "") + tar_end());
  REQUIRE(members.size() == 3);
  CHECK(members[0].name == "d/a.txt");
  CHECK(read_range(tar.path, members[0].begin, members[0].size) == "hello");
  CHECK(read_range(tar.path, members[1].begin, members[1].size) == big);
  CHECK(members[2].size == 0);
  CHECK_THROWS_AS(read_range(tar.path, 0, 1 << 20), IoError);
  // Without the blocks of zeros at the end, and without the padding of the last member.
  CHECK(tar.list(tar_member("a", "x")).size() == 1);
  CHECK(tar.list(tar_header("a", 3) + "xyz").size() == 1);
  CHECK(tar.list("").empty());
}

TEST_CASE("tar: long names of GNU and pax, prefixes, sizes in pax") {
  Tar tar;
  const std::string name = std::string(90, 'n') + "/" + std::string(90, 'm') + "/größe.png";
  const std::string pax_name = "path=" + name + "\n";
  const std::string record = std::to_string(pax_name.size() + 4) + " " + pax_name;
  REQUIRE(record.size() == pax_name.size() + 4);
  const auto members =
      tar.list(tar_member("././@LongLink", name + '\0', 'L') + tar_member("short", "1") +
               tar_member("pax", record + "9 size=2\n", 'x') + tar_member("short", "22") +
               tar_member("global", "17 comment=hello\n", 'g') + tar_member("plain", "333") + tar_end());
  REQUIRE(members.size() == 3);
  CHECK(members[0].name == name);
  CHECK(members[1].name == name);
  CHECK(members[1].size == 2);
  CHECK(members[2].name == "plain");
}

TEST_CASE("tar: broken files are named with the byte") {
  Tar tar;
  std::string broken = tar_member("a", "x") + tar_member("b", "y");
  broken[1024 + 5] ^= 1;
  CHECK(contains(tar.error_of(broken), "tar: header must have its checksum (at byte 1024 of 2048); "));
  CHECK(contains(tar.error_of(tar_header("a", 5) + "xyz"), "member must lie inside the file"));
  CHECK(contains(tar.error_of(std::string("\x1F\x8B\x08 and so on")), "must not be compressed (it is gzip)"));
  CHECK(contains(tar.error_of(tar_member("a", "x") + "tail"), "header must be whole"));
  CHECK(contains(tar.error_of(tar_member("a", "", 'S')), "sparse"));
  CHECK(contains(tar.error_of(tar_member("p", "999 path=x\n", 'x')), "pax record"));
  CHECK(contains(tar.error_of(tar_member("p", "garbage", 'x')), "pax record"));
  for (uint64_t i = 0; i < 100; ++i) {
    std::string flipped = tar_member("p", "9 size=2\n", 'x') + tar_member("a", "xy") + tar_end();
    flipped[mix64(i) % flipped.size()] ^= char(1 << i % 8);
    tar.error_of(flipped);
  }
}
