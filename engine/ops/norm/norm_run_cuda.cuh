#pragma once

// Which kernels a norm of rows takes: those that hold rows in registers where they fit, else the general ones.

#include "engine/ops/norm/norm_packs_cuda.cuh"
#include "engine/ops/norm/norm_rows_cuda.cuh"

namespace plumb {
namespace {

void run_norm(const char* op, const Cuda& cuda, const NormForward& p, int64_t rows, DType dtype, bool centred) {
  if (fits_norm_packs(dtype, p.width, {&p.x, &p.weight, &p.bias, &p.y}))
    return visit_rows(dtype, rows, p.width, [&]<class T, int kRowThreads, int kHeld>(const Grid& grid) {
      launch(op, cuda, grid, norm_forward_packs<T, kRowThreads, kHeld>, p, rows, centred);
    });
  visit_dtype(TypeList<float, double>{}, acc_dtype(dtype), op, [&]<class A>() {
    launch(op, cuda, {.blocks = rows, .threads = threads_for(p.width)}, norm_forward<A>, p, centred);
  });
}

void run_norm_backward(const char* op, const Cuda& cuda, const NormBackward& p, const Tensor& rstd,
                       const NormArray& weight, const NormArray& bias) {
  const int64_t rows = rstd.numel();
  const bool centred = p.mean.data != nullptr;
  const bool packs = fits_norm_packs(p.x.dtype, p.width, {&p.x, &p.grad, &p.weight, &p.grad_x});
  if (p.grad_x.data && packs)
    visit_rows(p.x.dtype, rows, p.width, [&]<class T, int kRowThreads, int kHeld>(const Grid& grid) {
      launch(op, cuda, grid, norm_backward_packs<T, kRowThreads, kHeld>, p, rows);
    });
  if ((weight.data || bias.data) && packs) norm_parameters_by_packs(op, cuda, p, rstd, weight, bias);
  if (packs) return;
  visit_dtype(TypeList<float, double>{}, rstd.dtype(), op, [&]<class A>() {
    if (p.grad_x.data)
      launch(op, cuda, {.blocks = rows, .threads = threads_for(p.width)}, norm_backward<A>, p, centred);
    if (weight.data || bias.data)
      sum_columns<SumPair<A>>(op, cuda, rstd.device(), rows, p.width, ParameterTerm<A>{p},
                              StoreParameters<A>{weight, bias});
  });
}

}  // namespace
}  // namespace plumb
