// Who does attention on CUDA: 16-bit floats without a mask go to cuDNN, whose f32 engines all use tensor cores; the
// rest, and what it has no plan for, to the kernels of attention_tiles_cuda.cu. A single key is left to those as well:
// there cuDNN's backward is known to fail.

#include "engine/cuda/dnn/dnn.h"
#include "engine/ops/attention/attention_kernels.h"
#include "engine/ops/attention/attention_tiles.h"

namespace plumb {
namespace {

/// Rows that cuDNN can load 16 bytes at a time.
bool fits(const Tensor& x) {
  for (int64_t d = 0; d + 1 < x.rank(); ++d)
    if (x.strides()[d] % 8 != 0) return false;
  return x.shape().back() % 8 == 0 && reinterpret_cast<uintptr_t>(x.raw_data()) % 16 == 0;
}

bool is_for_cudnn(const Tensor& q, const Tensor& k, const Tensor& v, AttentionSetting setting) {
  return size_of(q.dtype()) == 2 && !setting.causal && q.rank() <= 4 && k.shape().back(1) > 1 && q.shape().back() > 0 &&
         fits(q) && fits(k) && fits(v);
}

HeadStrides strides_of(const Tensor& x) {
  const int64_t rank = x.rank();
  return {rank == 4   ? x.strides()[0]
          : rank == 3 ? x.strides()[0]
                      : x.numel(),
          rank == 4 ? x.strides()[1] : x.numel(), x.strides().back(1)};
}

DnnAttention problem_of(const Tensor& q, const Tensor& k, const Tensor& v, AttentionSetting setting) {
  DnnAttention problem;
  problem.dtype = q.dtype();
  problem.batch = q.rank() >= 3 ? q.shape()[0] : 1;
  problem.heads = q.rank() == 4 ? q.shape()[1] : 1;
  problem.queries = q.shape().back(1);
  problem.keys = k.shape().back(1);
  problem.depth = q.shape().back();
  problem.value_depth = v.shape().back();
  problem.q = strides_of(q);
  problem.k = strides_of(k);
  problem.v = strides_of(v);
  problem.scale = float(setting.scale);
  return problem;
}

bool backward_by_cudnn(Cuda cuda, const AttentionOperands& from, AttentionSetting setting,
                       const AttentionGrads& grads) {
  if (!is_for_cudnn(from.q, from.k, from.v, setting) || !fits(from.grad) || !fits(from.out)) return false;
  DnnAttention problem = problem_of(from.q, from.k, from.v, setting);
  problem.backward = true;
  problem.grad = strides_of(from.grad);
  // It computes all three.
  const auto room = [&](const Tensor& wanted, const Tensor& like) {
    return wanted.defined() ? wanted : empty(like.shape(), like.dtype(), like.device());
  };
  Tensor q = room(grads.q, from.q), k = room(grads.k, from.k), v = room(grads.v, from.v);
  DnnAttentionData data{from.q.raw_data(), from.k.raw_data(), from.v.raw_data(), from.grad.raw_data()};
  data.out = const_cast<void*>(from.out.raw_data());
  data.lse = const_cast<float*>(from.lse.data<float>());
  data.grad_q = q.raw_mutable_data();
  data.grad_k = k.raw_mutable_data();
  data.grad_v = v.raw_mutable_data();
  return dnn_attention("attention_backward", cuda, problem, data);
}

}  // namespace

void attention_kernel(Cuda cuda, const Tensor& q, const Tensor& k, const Tensor& v, AttentionSetting setting,
                      AttentionResult& result) {
  if (is_for_cudnn(q, k, v, setting)) {
    DnnAttentionData data{q.raw_data(), k.raw_data(), v.raw_data()};
    data.out = result.out.raw_mutable_data();
    data.lse = static_cast<float*>(result.lse.raw_mutable_data());
    if (dnn_attention("attention", cuda, problem_of(q, k, v, setting), data)) return;
  }
  attention_tiles(cuda, q, k, v, setting, result);
}

void attention_backward_kernel(Cuda cuda, const AttentionOperands& from, AttentionSetting setting,
                               AttentionGrads& grads) {
  if (!backward_by_cudnn(cuda, from, setting, grads)) attention_tiles_backward(cuda, from, setting, grads);
}

}  // namespace plumb
