#include "apps/common/pair_file.h"

#include <doctest/doctest.h>

#include <limits>

#include "apps/common/exit_codes.h"
#include "engine/ops/random/random.h"
#include "tests/support/numeric.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using namespace plumb::test;

namespace {

constexpr PointDenoiserOptions kNetwork{.dimensions = 2, .classes = 3};

PreferencePairs some_pairs() {
  const RandomKey key{.seed = 5};
  return {.winners = randn(key.fork("w"), {4, 2}),
          .losers = randn(key.fork("l"), {4, 2}),
          .condition = {.labels = from_vector<int64_t>({0, 1, 2, 1}, {4})},
          .negative = {.labels = from_vector<int64_t>({1, 2, 0, 0}, {4})}};
}

TensorMap as_tensors(const PreferencePairs& pairs) {
  return {{"winners", pairs.winners},
          {"losers", pairs.losers},
          {"condition", pairs.condition.labels},
          {"negative", pairs.negative.labels}};
}

/// The message with which a changed file is refused; "" when it is not.
template <class Change>
std::string refusal(const Change& change, const PointDenoiserOptions& network = kNetwork) {
  const TempDir folder;
  const std::string file = (folder / "pairs.safetensors").string();
  TensorMap tensors = as_tensors(some_pairs());
  change(tensors);
  save_safetensors(file, tensors);
  try {
    load_pairs(file, network);
  } catch (const UsageError& error) {
    CHECK(std::string(error.what()).find(file) != std::string::npos);
    return error.what();
  }
  return "";
}

bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("pair file: what is saved is read, bit for bit") {
  const TempDir folder;
  const std::string file = (folder / "pairs.safetensors").string();
  const PreferencePairs pairs = some_pairs();
  save_pairs(file, pairs);
  const PreferencePairs read = load_pairs(file, kNetwork);
  CHECK(bits_of(read.winners) == bits_of(pairs.winners));
  CHECK(bits_of(read.losers) == bits_of(pairs.losers));
  CHECK(bits_of(read.condition.labels) == bits_of(pairs.condition.labels));
  CHECK(bits_of(read.negative.labels) == bits_of(pairs.negative.labels));
  CHECK(hash_of(read) == hash_of(pairs));
}

TEST_CASE("pair file: negative may be absent, other number types are converted") {
  const TempDir folder;
  const std::string file = (folder / "pairs.safetensors").string();
  TensorMap tensors = as_tensors(some_pairs());
  tensors.erase("negative");
  tensors["winners"] = tensors["winners"].to(DType::f64);
  tensors["condition"] = tensors["condition"].to(DType::i32);
  save_safetensors(file, tensors);
  const PreferencePairs read = load_pairs(file, kNetwork);
  CHECK_FALSE(read.negative.labels.defined());
  CHECK(read.winners.dtype() == DType::f32);
  CHECK(read.condition.labels.dtype() == DType::i64);
  CHECK(hash_of(read) != hash_of(some_pairs()));
  // Without classes there are no labels.
  tensors.erase("condition");
  save_safetensors(file, tensors);
  CHECK(load_pairs(file, {.dimensions = 2, .classes = 0}).size() == 4);
}

TEST_CASE("pair file: what is wrong is named with its tensor and row") {
  CHECK(refusal([](TensorMap&) {}).empty());
  CHECK(mentions(refusal([](TensorMap& t) { t.erase("winners"); }), "\"winners\" [P, 2]"));
  CHECK(mentions(refusal([](TensorMap& t) { t.erase("losers"); }), "\"losers\""));
  CHECK(mentions(refusal([](TensorMap& t) { t.erase("condition"); }), "3 classes"));
  CHECK(mentions(refusal([](TensorMap& t) { t["loosers"] = t["losers"]; }), "unknown tensor \"loosers\""));
  CHECK(mentions(refusal([](TensorMap& t) { t["losers"] = zeros({3, 2}, DType::f32); }), "as many losers (3)"));
  CHECK(mentions(refusal([](TensorMap& t) { t["winners"] = zeros({4, 3}, DType::f32); }), "winners must be floating"));
  CHECK(mentions(refusal([](TensorMap& t) { t["winners"] = zeros({4, 2}, DType::i64); }), "winners must be floating"));
  CHECK(mentions(refusal([](TensorMap& t) { t["winners"] = t["losers"] = zeros({0, 2}, DType::f32); }), "not empty"));
  CHECK(mentions(refusal([](TensorMap& t) { t["negative"] = zeros({3}, DType::i64); }), "negative must be integers"));
  CHECK(mentions(refusal([](TensorMap& t) { t["condition"] = zeros({4}, DType::f32); }), "condition must be integers"));
  for (const int64_t bad : {int64_t(3), int64_t(-1), std::numeric_limits<int64_t>::max()})
    CHECK(mentions(refusal([&](TensorMap& t) {
                     t["negative"] = from_vector<int64_t>({0, 0, bad, 0}, {4});
                   }),
                   "negative must be in [0, 3) for this model (row 2"));
  CHECK(mentions(
      refusal([](TensorMap& t) {
        t["losers"] = from_vector<float>({0, 0, 0, 0, 0, 0, 0, std::numeric_limits<float>::infinity()}, {4, 2});
      }),
      "losers must be finite (row 3"));
  CHECK(mentions(refusal([](TensorMap&) {}, {.dimensions = 2, .classes = 0}), "without classes"));
  CHECK_THROWS_AS(load_pairs("/nowhere/pairs.safetensors", kNetwork), IoError);
}

TEST_CASE("pair file: the hash sees every part") {
  const std::string whole = hash_of(some_pairs());
  PreferencePairs pairs = some_pairs();
  std::swap(pairs.winners, pairs.losers);
  CHECK(hash_of(pairs) != whole);
  pairs = some_pairs();
  std::swap(pairs.condition, pairs.negative);
  CHECK(hash_of(pairs) != whole);
  pairs = some_pairs();
  pairs.negative = {};
  CHECK(hash_of(pairs) != whole);
}
