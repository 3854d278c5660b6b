#include "engine/random/generator.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "engine/error.h"
#include "tests/engine/random/torch_golden.h"

using plumb::Generator;
using plumb::ValueError;

namespace {

template <class T>
std::vector<T> rand(Generator& generator, size_t n, double low = 0, double high = 1) {
  std::vector<T> out(n, T(NAN));
  generator.uniform(std::span<T>(out), low, high);
  return out;
}

template <class T>
std::vector<T> randn(Generator& generator, size_t n, double mean = 0, double deviation = 1) {
  std::vector<T> out(n, T(NAN));
  generator.normal(std::span<T>(out), mean, deviation);
  return out;
}

std::vector<int64_t> randint(Generator& generator, size_t n, int64_t low, int64_t high) {
  std::vector<int64_t> out(n);
  generator.randint(out, low, high);
  return out;
}

template <class T>
void check_close(const std::vector<T>& ours, const std::vector<double>& theirs, double tolerance) {
  REQUIRE(ours.size() == theirs.size());
  for (size_t i = 0; i < ours.size(); ++i) {
    CAPTURE(i);
    CAPTURE(ours[i]);
    CAPTURE(theirs[i]);
    CHECK(std::abs(double(ours[i]) - theirs[i]) <= tolerance);
  }
}

// torch's float normals come from approximate vector functions; doubles differ in the last places of log and cos.
constexpr double kFloatNormal = 1e-6;
constexpr double kDoubleNormal = 2e-15;

}  // namespace

TEST_CASE("generator: the values torch users know by heart") {
  Generator g(0);
  check_close(randn<float>(g, 4), {1.54099607, -0.29342890, -2.17878938, 0.56843126}, 5e-8);
  g = Generator(0);
  std::vector<float> sixteen = randn<float>(g, 16);
  sixteen.resize(4);
  check_close(sixteen, {-1.12583983, -1.15236020, -0.25057858, -0.43387881}, kFloatNormal);
  g = Generator(42);
  std::vector<float> latents = randn<float>(g, 4 * 64 * 64);
  latents.resize(4);
  check_close(latents, {1.92691529, 1.48728406, 0.90071720, -2.10552096}, kFloatNormal);
  g = Generator(0);
  check_close(rand<float>(g, 3), {0.49625659, 0.76822180, 0.08847743}, 5e-9);
  g = Generator(0);
  CHECK(randint(g, 6, 0, 1000) == std::vector<int64_t>{44, 239, 933, 760, 963, 379});
  g = Generator(0);
  CHECK(g.randperm(8) == std::vector<int64_t>{4, 0, 7, 3, 2, 5, 1, 6});
}

TEST_CASE("generator: uniforms equal torch's") {
  Generator g(1);
  check_close(rand<float>(g, 8), golden::rand_f32_seed1_8, 0);
  g = Generator(1);
  check_close(rand<double>(g, 5), golden::rand_f64_seed1_5, 0);
  g = Generator(2);
  check_close(rand<float>(g, 9, -0.3, 0.7), golden::uniform_f32_seed2_9, 0);
  g = Generator((1ull << 40) + 5);
  check_close(rand<float>(g, 4), golden::rand_f32_seed_2_40_plus_5, 0);
}

TEST_CASE("generator: fewer than 16 normals are drawn one at a time, the second of a pair kept") {
  Generator g(3);
  std::vector<float> ours = randn<float>(g, 5);
  const std::vector<float> second = randn<float>(g, 5);
  ours.insert(ours.end(), second.begin(), second.end());
  check_close(ours, golden::randn_f32_seed3_5_then_5, 2.5e-7);
  g = Generator(4);
  check_close(randn<double>(g, 15), golden::randn_f64_seed4_15, kDoubleNormal);
}

TEST_CASE("generator: from 16 normals up they come in blocks, and a tail is drawn again") {
  Generator g(4);
  check_close(randn<float>(g, 16), golden::randn_f32_seed4_16, kFloatNormal);
  g = Generator(4);
  check_close(randn<float>(g, 37), golden::randn_f32_seed4_37, kFloatNormal);
  g = Generator(4);
  check_close(randn<double>(g, 37), golden::randn_f64_seed4_37, kDoubleNormal);
  g = Generator(5);
  check_close(randn<float>(g, 20, 2.5, 0.125), golden::normal_f32_seed5_20, kFloatNormal);
}

TEST_CASE("generator: a kept normal survives a call that draws in blocks") {
  Generator g(6);
  std::vector<float> ours = randn<float>(g, 3);
  for (size_t n : {18, 2}) {
    const std::vector<float> more = randn<float>(g, n);
    ours.insert(ours.end(), more.begin(), more.end());
  }
  check_close(ours, golden::randn_f32_seed6_mixed, kFloatNormal);
}

TEST_CASE("generator: far into the sequence it is still torch's") {
  Generator g(9);
  const std::vector<float> ours = randn<float>(g, 20000);
  check_close(std::vector<float>(ours.end() - 8, ours.end()), golden::randn_f32_seed9_20000_last, kFloatNormal);
}

TEST_CASE("generator: integers and permutations equal torch's") {
  Generator g(7);
  CHECK(randint(g, 8, -5, 1000) == golden::randint_seed7_small);
  g = Generator(7);
  CHECK(randint(g, 6, 0, (1 << 28) - 1) == golden::randint_seed7_below_2_28);
  g = Generator(7);
  CHECK(randint(g, 6, 0, 1 << 28) == golden::randint_seed7_at_2_28);
  g = Generator(7);
  CHECK(randint(g, 6, -(1ll << 62), 1ll << 62) == golden::randint_seed7_wide);
  g = Generator(8);
  CHECK(g.randperm(13) == golden::randperm_seed8_13);
  CHECK(g.randperm(0).empty());
}

TEST_CASE("generator: a restored state goes on as the original, with a kept normal or without") {
  for (size_t drawn : {0, 3, 4, 700}) {
    CAPTURE(drawn);
    Generator original(11);
    randn<float>(original, drawn);
    Generator restored = Generator::restore(original.state());
    CHECK(randn<float>(restored, 3) == randn<float>(original, 3));
    CHECK(restored.state() == original.state());
  }
}

TEST_CASE("generator: a state that cannot be one is refused") {
  std::vector<int64_t> state = Generator(1).state();
  CHECK(int64_t(state.size()) == Generator::kStateSize);
  CHECK_THROWS_WITH_AS(Generator::restore(std::span(state).first(5)), "generator: a state has 627 integers (5)",
                       ValueError);
  state[3] = 1ll << 32;
  CHECK_THROWS_WITH_AS(Generator::restore(state), "generator: word 3 of a state must fit 32 bits (4294967296)",
                       ValueError);
  state = Generator(1).state();
  state[624] = 625;
  CHECK_THROWS_AS(Generator::restore(state), ValueError);
  state[624] = 0;
  state[625] = 1;
  state[626] = __builtin_bit_cast(int64_t, double(NAN));
  CHECK_THROWS_AS(Generator::restore(state), ValueError);
}

TEST_CASE("generator: impossible settings are refused") {
  Generator g(1);
  std::vector<float> out(2);
  std::vector<int64_t> integers(2);
  CHECK_THROWS_WITH_AS(g.uniform(std::span<float>(out), 1, 0),
                       "uniform: low must not exceed high, both finite (low 1, high 0)", ValueError);
  CHECK_THROWS_AS(g.uniform(std::span<float>(out), 0, NAN), ValueError);
  CHECK_THROWS_WITH_AS(g.normal(std::span<float>(out), 0, -1),
                       "normal: deviation must be at least 0, both finite (mean 0, deviation -1)", ValueError);
  CHECK_THROWS_WITH_AS(g.randint(integers, 2, 2), "randint: low must be below high (low 2, high 2)", ValueError);
  CHECK_THROWS_WITH_AS(g.randperm(-1), "randperm: n must be in [0, 2^32 / 20) (-1)", ValueError);
}
