#include "engine/random/philox.h"

#include <doctest/doctest.h>

#include <array>
#include <set>

#include "engine/random/random_key.h"

using plumb::philox;
using plumb::PhiloxBlock;
using plumb::RandomKey;

namespace {
void check_known(PhiloxBlock counter, uint32_t key0, uint32_t key1, PhiloxBlock expected) {
  const PhiloxBlock drawn = philox(counter, key0, key1);
  for (int i = 0; i < 4; ++i) CHECK(drawn.word[i] == expected.word[i]);
}
}  // namespace

TEST_CASE("philox: known answers of Random123 (tests/kat_vectors, philox4x32 10)") {
  check_known({{0, 0, 0, 0}}, 0, 0, {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}});
  check_known({{~0u, ~0u, ~0u, ~0u}}, ~0u, ~0u, {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}});
  check_known({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0xa4093822, 0x299f31d0,
              {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}});
}

TEST_CASE("random_key: the counter is injective in step, sample and block up to their limits") {
  std::set<std::array<uint32_t, 4>> seen;
  const uint64_t values[] = {0, 1, 255, 256, (1ull << 32) - 1, 1ull << 32, (1ull << 32) + 1, (1ull << 39) + 7};
  for (uint64_t step : values)
    for (uint64_t sample : values)
      for (uint64_t block : values) {
        const PhiloxBlock c = plumb::philox_counter(step, sample, block);
        seen.insert({c.word[0], c.word[1], c.word[2], c.word[3]});
      }
  seen.insert({0, 0, 0, 0});
  CHECK(seen.size() == 8 * 8 * 8);
  const PhiloxBlock last =
      plumb::philox_counter(RandomKey::kMaxStep - 1, RandomKey::kMaxSample - 1, RandomKey::kMaxBlock - 1);
  for (uint32_t word : last.word) CHECK(word == ~0u);
}

TEST_CASE("random_key: forks are stable, ordered and independent of step and sample") {
  const RandomKey root{.seed = 42};
  CHECK(root.fork("noise").stream == 0x833e46646e4ede8bull);
  CHECK(root.fork("noise") == root.fork("noise"));
  CHECK(root.fork("a").fork("b").stream != root.fork("b").fork("a").stream);
  CHECK(root.fork("a").fork("b").stream != root.fork("ab").stream);
  CHECK(root.fork("").stream != root.stream);
  CHECK(root.at_step(3).fork("x") == root.fork("x").at_step(3));
  CHECK(root.at_sample(3).fork("x") == root.fork("x").at_sample(3));
}

TEST_CASE("random_key: nearby seeds and streams have different Philox keys") {
  std::set<uint64_t> keys;
  for (uint64_t seed = 0; seed < 100; ++seed)
    for (const char* name : {"noise", "timestep", "dropout", "order"})
      keys.insert(RandomKey{.seed = seed}.fork(name).philox_key());
  CHECK(keys.size() == 400);
}
