#pragma once

#include <string>

// Devices described to cuDNN in its own words, for planning without them. The numbers are NVIDIA's published limits of
// the architecture and the card.

namespace plumb::test {

inline std::string h200_properties() {
  return R"({"deviceName": "NVIDIA H200", "deviceVer": 900, "driverVer": 13000, "cudaDeviceId": 0, "pciDeviceId": 0,
"multiProcessorCount": 132, "smClockRateKHz": 1980000, "memClockRateKHz": 3201000, "l2CacheSize": 62914560,
"totalGlobalMem": 150754820096, "maxGridSize": [2147483647, 65535, 65535], "maxBlockSize": [1024, 1024, 64],
"maxThreadsPerBlock": 1024, "maxThreadsPerSM": 2048, "maxCtasPerSM": 32, "warpSize": 32, "regsPerBlock": 65536,
"maxRegistersPerSM": 65536, "maxSharedMemoryPerBlock": 49152, "maxSharedMemoryPerBlockOptin": 232448,
"reservedSharedMemoryPerBlock": 1024, "isTccDriver": 0, "supportCoopLaunch": 1})";
}

inline std::string a100_properties() {
  return R"({"deviceName": "NVIDIA A100-SXM4-80GB", "deviceVer": 800, "driverVer": 13000, "cudaDeviceId": 0,
"pciDeviceId": 0, "multiProcessorCount": 108, "smClockRateKHz": 1410000, "memClockRateKHz": 1593000,
"l2CacheSize": 41943040, "totalGlobalMem": 85899345920, "maxGridSize": [2147483647, 65535, 65535],
"maxBlockSize": [1024, 1024, 64], "maxThreadsPerBlock": 1024, "maxThreadsPerSM": 2048, "maxCtasPerSM": 32,
"warpSize": 32, "regsPerBlock": 65536, "maxRegistersPerSM": 65536, "maxSharedMemoryPerBlock": 49152,
"maxSharedMemoryPerBlockOptin": 166912, "reservedSharedMemoryPerBlock": 1024, "isTccDriver": 0,
"supportCoopLaunch": 1})";
}

}  // namespace plumb::test
