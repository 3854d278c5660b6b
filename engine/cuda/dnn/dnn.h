#pragma once

#include <array>
#include <cstdint>

#include "engine/backend.h"
#include "engine/dtype.h"
#include "engine/ops/conv/conv2d_kernels.h"

// What the engine asks of cuDNN: whole ops in, true when they were done. cuDNN is loaded by the first call; a build
// without its headers, and a machine without its library, throw DeviceError. All arrays are on the device and 16-byte
// aligned. tests/support/cuda_emulator has plain loops with the same interface.

namespace plumb {

enum class ConvolutionPass { forward, backward_x, backward_weight };

/// A convolution of [N, H, W, C] pictures with [O, KH, KW, C / groups] kernels, contiguous, of `dtype`: f32 (without
/// tensor cores), bf16 or f16.
struct DnnConvolution {
  ConvolutionPass pass = ConvolutionPass::forward;
  DType dtype = DType::f32;
  ConvGeometry geometry;
  bool has_bias = false;  ///< forward only
};
/// The array that the pass computes is written, the others are read; y is the output or its gradient.
struct DnnConvolutionData {
  void *x = nullptr, *weight = nullptr, *y = nullptr;
  const void* bias = nullptr;  ///< [O]
};

/// False, and nothing written, when cuDNN has no way to do it. Throws CudaError naming `op`.
bool dnn_convolution(const char* op, const Cuda& cuda, const DnnConvolution& problem, const DnnConvolutionData& data);

/// Elements between neighbours of a [B, H, T, d] array along all but the last dimension, which is dense.
struct HeadStrides {
  int64_t batch = 0, head = 0, row = 0;
};

/// Attention of bf16 or f16, every query seeing every key: q [B, H, Tq, d], k [B, H, Tk, d], v [B, H, Tk, dv], strided;
/// out [B, H, Tq, dv] and the gradients are contiguous.
struct DnnAttention {
  bool backward = false;
  DType dtype = DType::bf16;
  int64_t batch = 1, heads = 1, queries = 1, keys = 1, depth = 1, value_depth = 1;
  HeadStrides q, k, v, grad;
  float scale = 1;
};
/// Forward: out and lse [B, H, Tq] (f32) are written. Backward: all three gradients.
struct DnnAttentionData {
  const void *q = nullptr, *k = nullptr, *v = nullptr, *grad = nullptr;
  void* out = nullptr;
  float* lse = nullptr;
  void *grad_q = nullptr, *grad_k = nullptr, *grad_v = nullptr;
};

/// As dnn_convolution. With cuda.deterministic a backward goes a slice of the batch at a time, as cuDNN then keeps a
/// Tq x Tk matrix of every head.
bool dnn_attention(const char* op, const Cuda& cuda, const DnnAttention& problem, const DnnAttentionData& data);

}  // namespace plumb
