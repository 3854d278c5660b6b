#include "nn/device_tables.h"

#include <doctest/doctest.h>

#include "engine/cuda/device.h"

using namespace plumb;

TEST_CASE("device tables: the CPU makes a table anew every time") {
  const DeviceTables tables;
  int made = 0;
  for (int i = 0; i < 2; ++i) {
    const Tensor table = tables.on(kCpu, {1}, [&] { return full({3}, double(++made)); });
    CHECK(table.to_vector<double>() == std::vector<double>(3, double(i + 1)));
  }
}

TEST_CASE("device tables: a device is given a table once, and a copy shares it") {
  if (cuda_devices().count == 0) return;
  const Device device{DeviceType::cuda, 0};
  const DeviceTables tables, copy = tables;
  int made = 0;
  const auto make = [&] { return full({3}, double(++made)); };
  const Tensor table = tables.on(device, {1, 2}, make);
  CHECK(table.device() == device);
  CHECK(copy.on(device, {1, 2}, make).is_same(table));
  CHECK(tables.on(device, {1, 3}, make).to_vector<double>() == std::vector<double>(3, 2.0));
  CHECK(made == 2);
}
