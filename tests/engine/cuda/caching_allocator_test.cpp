#include "engine/cuda/caching_allocator.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <set>

#include "engine/error.h"
#include "tests/support/numeric.h"

namespace plumb {
namespace {

// A device of 64 KiB.
constexpr size_t kDevice = 64 << 10;
std::set<void*> taken;
size_t taken_bytes = 0;

void* take(size_t bytes) {
  if (taken_bytes + bytes > kDevice) return nullptr;
  taken_bytes += bytes;
  void* memory = std::malloc(bytes + sizeof(size_t));
  *static_cast<size_t*>(memory) = bytes;
  return *taken.insert(memory).first;
}
void give(void* memory) {
  REQUIRE(taken.erase(memory) == 1);
  taken_bytes -= *static_cast<size_t*>(memory);
  std::free(memory);
}

int one, two;
void* const kStream = &one;
void* const kOtherStream = &two;

}  // namespace

TEST_CASE("caching_allocator: size classes waste at most an eighth and are stable") {
  for (size_t bytes : {size_t(0), size_t(1), size_t(512)}) CHECK(CachingAllocator::rounded(bytes) == 512);
  for (size_t bytes = 513; bytes < 300'000; bytes += 97) {
    const size_t size = CachingAllocator::rounded(bytes);
    CHECK(size >= bytes);
    CHECK(size - bytes <= bytes / 8);
    CHECK(CachingAllocator::rounded(size) == size);
    CHECK(size % 64 == 0);
  }
}

TEST_CASE("caching_allocator: hands a freed block out again, on its own stream only") {
  CachingAllocator allocator("cuda:0", {take, give});
  CudaBlock* first = allocator.allocate(1000, kStream);
  void* data = first->data;
  allocator.free(first);
  CudaBlock* other = allocator.allocate(1000, kOtherStream);
  CHECK(other->data != data);
  CudaBlock* again = allocator.allocate(990, kStream);
  CHECK(again->data == data);
  const AllocatorStatistics now = allocator.statistics();
  CHECK(now.requests == 3);
  CHECK(now.system_requests == 2);
  CHECK(now.allocated_bytes == 2048);
  CHECK(now.reserved_bytes == 2048);
  CHECK(now.peak_allocated_bytes == 2048);
  allocator.free(again);
  allocator.free(other);
  allocator.reset_peak();
  CHECK(allocator.statistics().peak_allocated_bytes == 0);
  allocator.release_cached();
  CHECK(allocator.statistics().reserved_bytes == 0);
  CHECK(taken.empty());
}

TEST_CASE("caching_allocator: gives the cache back before it gives up, and then names the sizes") {
  CachingAllocator allocator("cuda:0", {take, give});
  allocator.free(allocator.allocate(40 << 10, kStream));
  CudaBlock* large = allocator.allocate(60 << 10, kOtherStream);  // only fits without the cached 40 KiB
  CHECK(allocator.statistics().reserved_bytes == int64_t(60 << 10));
  CHECK(test::message_of([&] { allocator.allocate(8 << 10, kStream); }) ==
        "allocate: out of memory on cuda:0 (8192 bytes asked for, 61440 in use, 61440 held, cap none)");
  allocator.free(large);
}

TEST_CASE("caching_allocator: holds no more than the cap") {
  CachingAllocator allocator("cuda:3", {take, give});
  allocator.set_cap(4096);
  CudaBlock* small = allocator.allocate(2048, kStream);
  CHECK(test::message_of([&] { allocator.allocate(4096, kStream); }) ==
        "allocate: out of memory on cuda:3 (4096 bytes asked for, 2048 in use, 2048 held, cap 4096)");
  allocator.free(small);
  allocator.free(allocator.allocate(4096, kStream));
  allocator.set_cap(0);
  allocator.free(allocator.allocate(8192, kStream));
  CHECK_THROWS_AS(allocator.allocate(size_t(1) << 60, kStream), MemoryError);
}

}  // namespace plumb
