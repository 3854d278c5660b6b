#include "engine/allocator.h"

#include <doctest/doctest.h>

#include <optional>

#include "engine/tensor.h"

using namespace plumb;

namespace {

int64_t bytes_in_use() { return allocator_statistics().allocated_bytes; }

}  // namespace

TEST_CASE("allocator: a tensor of a power of two of bytes wastes next to nothing, any other at most a quarter") {
  release_cached_memory();  // a larger idle block would do as well
  for (int64_t elements = int64_t(1) << 12; elements <= int64_t(1) << 22; elements *= 4)
    for (const int64_t more : {int64_t(0), elements / 8 + 1, elements / 2 + 1}) {
      const int64_t before = bytes_in_use();
      const Tensor x = empty({elements + more});
      const double ratio = double(bytes_in_use() - before) / double(4 * (elements + more));
      CHECK(ratio >= 1);
      CHECK(ratio < (more == 0 ? 1.01 : 1.26));
    }
}

TEST_CASE("allocator: from 16 MiB up at most an eighth is wasted") {
  for (const int64_t bytes : {(int64_t(16) << 20) - 5, (int64_t(16) << 20) + 5, int64_t(25'888'788),
                              (int64_t(64) << 20) + 5, (int64_t(127) << 20) + 5}) {
    release_cached_memory();
    const int64_t before = bytes_in_use();
    const Tensor x = empty({bytes}, DType::u8);
    const double ratio = double(bytes_in_use() - before) / double(bytes);
    CHECK(ratio >= 1);
    CHECK(ratio < 1.126);
  }
}

TEST_CASE("allocator: a large request takes an idle block of up to twice its size before it asks the system") {
  release_cached_memory();
  { const Tensor large = empty({int64_t(1) << 20}); }
  const int64_t before = allocator_statistics().system_requests;
  std::optional<Tensor> half = empty({int64_t(1) << 19});
  CHECK(allocator_statistics().system_requests == before);
  half.reset();
  const Tensor small = empty({(int64_t(1) << 19) - (int64_t(1) << 18)});  // a quarter: too small for it
  CHECK(allocator_statistics().system_requests == before + 1);
}
