#pragma once

#include <stdexcept>
#include <string>

namespace plumb {

/// Base of every exception the library throws. The message is one line of the form
/// "op: expectation (actual); operands". Programs map BadInput-like children to exit code 2 (see apps/main.cpp).
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Operands whose shapes do not fit together.
struct ShapeError : Error {
  using Error::Error;
};
/// An element type the operation does not take, or operands of different types.
struct DTypeError : Error {
  using Error::Error;
};
/// Operands on different devices, or a device that is not there.
struct DeviceError : Error {
  using Error::Error;
};
/// An index or dimension outside its range.
struct IndexError : Error {
  using Error::Error;
};
/// An argument or setting outside its domain.
struct ValueError : Error {
  using Error::Error;
};
/// A file that cannot be read, written or understood.
struct IoError : Error {
  using Error::Error;
};
/// A NaN or an infinity where none may be.
struct NumericError : Error {
  using Error::Error;
};
/// An allocation that failed; the message names the bytes asked for and in use.
struct MemoryError : Error {
  using Error::Error;
};
/// A CUDA, cuBLAS or cuDNN call that failed.
struct CudaError : Error {
  using Error::Error;
};

}  // namespace plumb
