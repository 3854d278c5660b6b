#pragma once

#include <cstdint>

namespace plumb {

enum class DeviceType : uint8_t { cpu, cuda };

/// Where a tensor lives: the CPU, or one CUDA device by index.
struct Device {
  DeviceType type = DeviceType::cpu;
  int8_t index = 0;

  constexpr bool is_cpu() const { return type == DeviceType::cpu; }
  constexpr bool is_cuda() const { return type == DeviceType::cuda; }
  constexpr bool operator==(const Device&) const = default;
};

inline constexpr Device kCpu{};

}  // namespace plumb
