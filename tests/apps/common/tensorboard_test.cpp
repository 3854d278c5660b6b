#include "apps/common/tensorboard.h"

#include <doctest/doctest.h>

using namespace plumb;

TEST_CASE("tensorboard: CRC-32C of the vectors of RFC 3720") {
  CHECK(crc32c("123456789") == 0xe3069283u);
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aau);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43u);
  CHECK(crc32c("") == 0);
}

TEST_CASE("tensorboard: a record frames its data with masked sums") {
  std::string record = tf_record("abc");
  REQUIRE(record.size() == 8 + 4 + 3 + 4);
  CHECK(record.substr(0, 8) == std::string("\x03\0\0\0\0\0\0\0", 8));
  CHECK(record.substr(12, 3) == "abc");
}

TEST_CASE("tensorboard: an event has the fields of the protocol") {
  std::string event = scalar_event(1.5, 300, {{"loss", 0.25}});
  std::string expected;
  expected += std::string("\x09\0\0\0\0\0\0\xf8\x3f", 9);       // 1: wall time 1.5
  expected += "\x10\xac\x02";                                   // 2: step 300
  expected += "\x2a\x0d\x0a\x0b";                               // 5: summary of 13 bytes, value of 11
  expected += std::string("\x0a\x04loss\x15\0\0\x80\x3e", 11);  // tag, 0.25f
  CHECK(event == expected);
}
