// The suite `gpu` needs a CUDA device; without one it is reported as skipped (exit status 77), never as passed.

#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

#include "engine/cuda/device.h"

int main(int argc, char** argv) {
  const plumb::CudaDevices& devices = plumb::cuda_devices();
  if (devices.count == 0) {
    std::printf("skipped: %s\n", devices.problem.c_str());
    return 77;
  }
  return doctest::Context(argc, argv).run();
}
