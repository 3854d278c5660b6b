// Optimiser loops in float, compiled once an instruction set (see kernels.h).

#include "engine/isa/optim_rows.h"
#include "engine/isa/variants.h"

namespace plumb::PLUMB_ISA {

constinit const OptimKernels optim_kernels = {
    .adam = adam_row<float>,
    .sgd = sgd_row<float>,
    .sgd_momentum = sgd_momentum_row<float>,
    .ema = ema_row<float>,
    .sum_of_squares = sum_of_squares_row<float>,
};

}  // namespace plumb::PLUMB_ISA
