#pragma once

#include "engine/cuda/product.h"

namespace plumb::emulator {

/// How often a matrix product was asked for, and what the last call wanted beside it.
int product_calls();
const ProductEpilogue& last_product_epilogue();

}  // namespace plumb::emulator
