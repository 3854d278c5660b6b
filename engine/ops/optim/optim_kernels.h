#pragma once

#include "engine/backend.h"
#include "engine/ops/optim/adam.h"
#include "engine/ops/optim/ema.h"
#include "engine/ops/optim/sgd.h"
#include "engine/ops/optim/step_control.h"

// Kernels behind the optimiser updates. Tensors have been checked.

namespace plumb {

void advance_step_kernel(Cpu, StepControl& control);
void adam_kernel(Cpu, UpdateTensors& tensors, const StepControl& control, const AdamOptions& options);
void sgd_kernel(Cpu, UpdateTensors& tensors, const StepControl& control, const SgdOptions& options);
void advance_ema_kernel(Cpu, Tensor& step, Tensor& decay, const Tensor& skip, const EmaOptions& options);
void ema_kernel(Cpu, const Tensor& weight, const Tensor& decay, Tensor& shadow);
void add_sum_of_squares_kernel(Cpu, const Tensor& x, Tensor& total);
void root_kernel(Cpu, const Tensor& x, Tensor& root);
void clip_factor_kernel(Cpu, const Tensor& norm, double max_norm, Tensor& factor);
void not_finite_kernel(Cpu, const Tensor& x, Tensor& answer);
void scale_by_kernel(Cpu, const Tensor& factor, Tensor& x);

// The same on CUDA.
void advance_step_kernel(Cuda cuda, StepControl& control);
void adam_kernel(Cuda cuda, UpdateTensors& tensors, const StepControl& control, const AdamOptions& options);
void sgd_kernel(Cuda cuda, UpdateTensors& tensors, const StepControl& control, const SgdOptions& options);
void advance_ema_kernel(Cuda cuda, Tensor& step, Tensor& decay, const Tensor& skip, const EmaOptions& options);
void ema_kernel(Cuda cuda, const Tensor& weight, const Tensor& decay, Tensor& shadow);
void add_sum_of_squares_kernel(Cuda cuda, const Tensor& x, Tensor& total);
void root_kernel(Cuda cuda, const Tensor& x, Tensor& root);
void clip_factor_kernel(Cuda cuda, const Tensor& norm, double max_norm, Tensor& factor);
void not_finite_kernel(Cuda cuda, const Tensor& x, Tensor& answer);
void scale_by_kernel(Cuda cuda, const Tensor& factor, Tensor& x);

}  // namespace plumb
