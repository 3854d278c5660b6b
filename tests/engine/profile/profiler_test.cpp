#include "engine/profile/profiler.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <string>

#include "engine/allocator.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

const ProfileEvent* find(const Profile& profile, const char* name) {
  for (const ProfileEvent& event : profile.events)
    if (std::strcmp(event.name, name) == 0) return &event;
  return nullptr;
}

}  // namespace

TEST_CASE("profiler: an op is recorded with shapes, bytes, operations and what it allocated") {
  const Tensor x = random_tensor({6, 5}, 1, DType::f32), w = random_tensor({3, 5}, 2, DType::f32);
  const Tensor b = random_tensor({3}, 3, DType::f32);
  Profiler profiler;
  const Tensor y = linear(x, w, b), z = silu(y), s = sum(z, {});
  const Profile profile = profiler.stop();
  REQUIRE(profile.events.size() == 3);
  const ProfileEvent& product = profile.events[0];
  CHECK(std::string(product.name) == "linear");
  CHECK(product.flops == 2 * 6 * 5 * 3);
  CHECK(product.read_bytes == 4 * (30 + 15 + 3));
  CHECK(product.written_bytes == 4 * 18);
  CHECK(product.input_count == 3);
  CHECK(product.inputs[1].shape == Shape{3, 5});
  CHECK(product.output.shape == Shape{6, 3});
  CHECK(product.allocated_after - product.allocated_before >= 4 * 18);
  CHECK(profile.events[1].flops == 18);
  CHECK(profile.events[2].flops == 18);
  CHECK(profile.events[2].written_bytes == 4);
  int64_t last = 0;
  for (const ProfileEvent& event : profile.events) {
    CHECK(event.begin_ns >= last);
    CHECK(event.end_ns >= event.begin_ns);
    last = event.end_ns;
  }
  CHECK(profile.duration_ns >= last);
}

TEST_CASE("profiler: an op inside another is its child, and self times add up") {
  const Tensor x = transpose(random_tensor({40, 50}, 1, DType::f32), 0, 1);
  Profiler profiler;
  {
    ProfileRange range("forward");
    softmax(add(x, x), 1);
    conv2d(random_tensor({2, 4, 3, 3}, 2, DType::f32),
           random_tensor({2, 4, 3, 3}, 3, DType::f32));  // brings channels inside
  }
  const Profile profile = profiler.stop();
  int64_t total = 0;
  bool nested = false;
  for (const ProfileEvent& event : profile.events) {
    CHECK(event.self_ns() >= 0);
    total += event.self_ns();
    if (event.parent < 0) continue;
    const ProfileEvent& parent = profile.events[size_t(event.parent)];
    CHECK(event.begin_ns >= parent.begin_ns);
    CHECK(event.end_ns <= parent.end_ns);
    nested = nested || std::strcmp(parent.name, "conv2d") == 0;
  }
  CHECK(nested);
  REQUIRE(profile.events[0].kind == EventKind::range);
  CHECK(total == profile.events[0].duration_ns());
  CHECK(std::string(phase_of(profile, 2)) == "forward");
  CHECK(path_of(profile, 1) == "forward / add");
}

TEST_CASE("profiler: an expanded operand is read once") {
  const Tensor row = random_tensor({1, 64}, 1, DType::f32), x = random_tensor({8, 64}, 2, DType::f32);
  Profiler profiler;
  add(x, expand(row, {8, 64}));
  const Profile profile = profiler.stop();
  REQUIRE(find(profile, "add"));
  CHECK(find(profile, "add")->read_bytes == 4 * (8 * 64 + 64));
}

TEST_CASE("profiler: every block taken is given back with its own size") {
  std::map<const void*, int64_t> live;
  const int64_t before = allocator_statistics().allocated_bytes;
  Profiler profiler;
  {
    const Tensor x = random_tensor({100, 30}, 1, DType::f32);
    softmax(matmul(x, transpose(x, 0, 1)), 1);
  }
  const Profile profile = profiler.stop();
  CHECK(profile.allocated_before == before);
  CHECK(profile.memory.size() > 4);
  int64_t now = 0;
  for (const MemoryEvent& event : profile.memory) {
    now += event.bytes;
    CHECK(now >= 0);
    if (event.bytes > 0) {
      live[event.block] = event.bytes;
    } else {
      CHECK(live[event.block] == -event.bytes);
      live.erase(event.block);
    }
  }
  CHECK(live.empty());
  CHECK(now == 0);
}

TEST_CASE("profiler: the first op that made a NaN or an infinity is named, and its element") {
  const Tensor x = from_vector<float>({1, 2, 0, 4}, {4});
  Profiler profiler({.find_non_finite = true});
  const Tensor y = mul(log(add(x, x)), x);  // log 0 is -inf; -inf * 0 is NaN, but comes later
  const Profile profile = profiler.stop();
  REQUIRE(profile.non_finite.event >= 0);
  CHECK(std::string(profile.events[size_t(profile.non_finite.event)].name) == "log");
  CHECK(profile.non_finite.element == 2);
  CHECK(profile.non_finite.value == -INFINITY);
  CHECK(profile.non_finite.inputs_finite);
  CHECK(std::isnan(y.to_vector<float>()[2]));
}

TEST_CASE("profiler: an op that was handed a NaN did not make it; a filled-in infinity is wanted") {
  const Tensor bad = from_vector<float>({1, NAN}, {2});
  Profiler profiler({.find_non_finite = true});
  full({3}, INFINITY);
  square(bad);
  const Profile profile = profiler.stop();
  REQUIRE(profile.non_finite.event >= 0);
  CHECK(std::string(profile.events[size_t(profile.non_finite.event)].name) == "square");
  CHECK_FALSE(profile.non_finite.inputs_finite);
}

TEST_CASE("profiler: an op that throws ends its event; only one profiler at a time; nothing when none is alive") {
  {
    Profiler profiler;
    CHECK_THROWS_AS(Profiler(), Error);
    CHECK_THROWS_AS(add(zeros({2}), zeros({3})), ShapeError);
    const Tensor y = neg(zeros({2}));
    const Profile profile = profiler.stop();
    REQUIRE(find(profile, "neg"));
    CHECK(find(profile, "neg")->parent == -1);
  }
  neg(zeros({2}));
  Profiler profiler;
  CHECK(profiler.stop().events.empty());
}

TEST_CASE("profiler: ops of other threads have a number of their own") {
  const int threads = num_threads();
  set_num_threads(2);
  Profiler profiler;
  parallel_for(64, 1, [](int64_t, int64_t) { add(zeros({300}), zeros({300})); });
  const Profile profile = profiler.stop();
  set_num_threads(threads);
  int64_t adds = 0;
  for (const ProfileEvent& event : profile.events) {
    adds += std::strcmp(event.name, "add") == 0;
    CHECK(event.parent < 0);
    CHECK(event.thread >= 0);
    CHECK(event.thread < 2);
  }
  CHECK(adds == 64);
}
