#include <benchmark/benchmark.h>

#include <cstdio>

#include "engine/cuda/device.h"

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  if (plumb::cuda_devices().count == 0) {
    std::fprintf(stderr, "no GPU benchmark ran: %s\n", plumb::cuda_devices().problem.c_str());
    return 0;
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
