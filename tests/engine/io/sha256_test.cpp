#include "engine/io/sha256.h"

#include <doctest/doctest.h>

#include "engine/io/sha256_blocks.h"
#include "engine/random/random_key.h"

using namespace plumb;

TEST_CASE("sha256: the examples of FIPS 180 and the empty message") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256_hex(std::string(1000000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("sha256: the processor's instructions give what every processor gives") {
  std::string message;
  for (uint64_t i = 0; i < 64 * 9; ++i) message += char(mix64(i));
  const auto* bytes = reinterpret_cast<const uint8_t*>(message.data());
  for (size_t count : {0, 1, 2, 8}) {
    uint32_t state[8], portable[8];
    for (uint32_t i = 0; i < 8; ++i) state[i] = portable[i] = uint32_t(mix64(100 + i));
    sha256_blocks(state, bytes + 5, count);
    sha256_blocks_portable(portable, bytes + 5, count);
    for (int i = 0; i < 8; ++i) CHECK(state[i] == portable[i]);
  }
}

TEST_CASE("sha256: the pieces a message comes in do not matter") {
  std::string message;
  for (int i = 0; i < 300; ++i) message += char(i * 7);
  const std::string whole = sha256_hex(message);
  for (size_t piece : {1, 3, 55, 56, 63, 64, 65, 128, 299}) {
    Sha256 hash;
    for (size_t i = 0; i < message.size(); i += piece) hash.update(std::string_view(message).substr(i, piece));
    CHECK(hash.finish_hex() == whole);
  }
}

// Lengths around the padding's boundaries; expected values from Python's hashlib.
TEST_CASE("sha256: lengths at the edges of the padding") {
  CHECK(sha256_hex(std::string(55, 'x')) == "d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072");
  CHECK(sha256_hex(std::string(56, 'x')) == "04c26261370ee7541549d16dee320c723e3fd14671e66a099afe0a377c16888e");
  CHECK(sha256_hex(std::string(63, 'x')) == "75220b47218278e656f2013bb8f0c455a25eaf01e86c64924e9d48d89776d6f2");
  CHECK(sha256_hex(std::string(64, 'x')) == "7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c");
  CHECK(sha256_hex(std::string(119, 'x')) == "000b48d4edf0fa7bee3c6236ecd2785baa5db4eeb8bb54341b029e0d9fa5fb0c");
  CHECK(sha256_hex(std::string(120, 'x')) == "13f05a0b594787f5ecd315edc96141bd3243203d1b7d4f0836f37308b276ba98");
}
