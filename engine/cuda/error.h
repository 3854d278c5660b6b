#pragma once

namespace plumb {

/// Throws CudaError "op: CUDA says what (name)". Not a template and without fmt, so that a .cu may call it.
[[noreturn]] void raise_cuda(const char* op, const char* name, const char* what);

}  // namespace plumb
