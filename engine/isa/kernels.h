#pragma once

#include "engine/isa/elementwise_kernels.h"
#include "engine/isa/gemm_kernels.h"
#include "engine/isa/optim_kernels.h"
#include "engine/isa/peak_kernels.h"
#include "engine/isa/random_kernels.h"
#include "engine/isa/reduce_kernels.h"
#include "engine/isa/winograd_kernels.h"

// Kernels compiled once for every instruction set, and chosen by what the processor can do.
//
// Add kernels of a family in five steps (elementwise.cpp is the worked example):
//  1. engine/isa/<family>_kernels.h: a struct of function pointers over plain pointers and sizes.
//  2. engine/isa/<family>.cpp: the loops, in `namespace plumb::PLUMB_ISA { namespace { … } }`, and under them one
//     `constinit const <Family>Kernels <family>_kernels = {…};` outside the anonymous namespace. Include simd.h, math.h
//     and plain headers only: an inline function of a standard or project header could be emitted as a weak symbol
//     compiled for AVX-512, and the linker may hand that copy to everybody. `nm` on the library must show no W and no
//     V.
//  3. variants.h: declare that table in the three namespaces.
//  4. Below: one member of Kernels; kernels.cpp: one line in `of_variant`.
//  5. engine/isa/meson.build: one line in `isa_sources`.
// Use it as `kernels().<family>.row(…)`.
//
// Same bits on every processor (but for the matrix product, see gemm_kernels.h): the build contracts no multiply and
// add, so IEEE arithmetic written in one order gives one result. A sum must fix its own order: keep as many partial
// sums as the widest variant has lanes.

namespace plumb {

struct Kernels {
  const char* name;  // "portable", "avx2", "avx512"
  const ElementwiseKernels& elementwise;
  const GemmKernels& gemm;
  const OptimKernels& optim;
  const PeakKernels& peak;
  const RandomKernels& random;
  const ReduceKernels& reduce;
  const WinogradKernels& winograd;
};

/// The best kernels this processor runs; fixed at first use. PLUMB_ISA=portable|avx2|avx512 in the environment asks for
/// less. Throws ValueError when it names a set that is unknown or that this processor lacks.
const Kernels& kernels();

/// Name of the instruction set in use.
inline const char* isa_name() { return kernels().name; }

/// The kernels of a named set, or null when this processor or build lacks it. For tests and benchmarks.
const Kernels* find_kernels(const char* name);

}  // namespace plumb
