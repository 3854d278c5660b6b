#pragma once

/// Marks an inline function that nvcc compiles for both sides, so that one source gives the arithmetic of CPU and CUDA.
#ifdef __CUDACC__
#define PLUMB_HOST_DEVICE __host__ __device__ inline
#else
#define PLUMB_HOST_DEVICE inline
#endif
