#include "nn/read_together.h"

#include <doctest/doctest.h>

#include "engine/cuda/device.h"
#include "engine/ops/layout/view.h"

using namespace plumb;

namespace {

void check_on(Device device) {
  const Tensor grid = from_vector<float>({1, 2, 3, 4, 5, 6}, {2, 3}).to(device);
  const Tensor whole = from_vector<int64_t>({-7}, {}).to(device);
  const auto numbers = read_together({transpose(grid, 0, 1), {}, whole, zeros({0}, DType::f64, device)});
  REQUIRE(numbers.size() == 4);
  CHECK(numbers[0] == std::vector<double>{1, 4, 2, 5, 3, 6});
  CHECK(numbers[1].empty());
  CHECK(numbers[2] == std::vector<double>{-7});
  CHECK(numbers[3].empty());
}

}  // namespace

TEST_CASE("read_together: elements in row-major order, nothing for what is not there") {
  check_on(kCpu);
  if (cuda_devices().count > 0) check_on({DeviceType::cuda, 0});
}
