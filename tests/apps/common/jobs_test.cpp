#include "apps/common/jobs.h"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

using namespace plumb;

TEST_CASE("every job runs once, however many at a time") {
  for (const int64_t jobs : {1, 2, 5, 20}) {
    std::vector<std::atomic<int>> runs(11);
    run_jobs(jobs, 11, [&](int64_t i) { ++runs[size_t(i)]; });
    for (const std::atomic<int>& count : runs) CHECK(count == 1);
  }
  run_jobs(3, 0, [](int64_t) { FAIL("there is no work"); });
}

TEST_CASE("no more run at a time than asked for") {
  std::atomic<int> now = 0, most = 0;
  run_jobs(3, 40, [&](int64_t) {
    const int here = ++now;
    for (int seen = most; here > seen && !most.compare_exchange_weak(seen, here);) {
    }
    --now;
  });
  CHECK(most <= 3);
}

TEST_CASE("after an exception no job begins, and it is thrown") {
  int begun = 0;
  CHECK_THROWS_AS(run_jobs(1, 10,
                           [&](int64_t i) {
                             ++begun;
                             if (i == 3) throw std::runtime_error("three");
                           }),
                  std::runtime_error);
  CHECK(begun == 4);
}
