#pragma once

#include "autograd/variable.h"

namespace plumb {

/// A weight of a module: the value the ops compute with, the gradient that collects for it, and for 16-bit values
/// optionally a master copy in f32 that the optimiser updates, and that state dicts and EMA read.
///
///   value     compute dtype: f32, f64, bf16, f16
///   gradient  f32 (f64 for an f64 value), made on first use or placed in an arena (see parameter_arena.h)
///   master    f32, only when the value has 16 bits; value = round(master) after every step
///
/// A parameter made of a tensor without memory (Init::shapes) knows shape and dtype alone until assign(), adopt() or
/// rebind gives it values; variable(), value() and whatever else reads it throw Error before that.
///
/// Copying is deep (fresh memory, no gradient) and explicit: it exists so that modules can be cloned.
class Parameter {
 public:
  /// An absent parameter (a linear layer without bias, say): visitors pass over it.
  Parameter() = default;
  /// Takes `value` over, without a copy. Throws DTypeError unless floating.
  explicit Parameter(Tensor value);
  /// The kernels of a convolution, [O, C, KH, KW], which are kept channels-last, as convolutions read them. Only what
  /// adopt() takes over may lie otherwise, until an arena or assign() gives it other memory.
  static Parameter of_kernels(const Tensor& value);
  explicit Parameter(const Parameter& other);
  Parameter(Parameter&&) noexcept = default;
  Parameter& operator=(Parameter&&) noexcept = default;

  bool defined() const { return variable_.defined(); }
  /// What ops take: a leaf while the parameter is trained, a constant while it is frozen.
  const Variable& variable() const {
    if (!has_memory_) [[unlikely]]
      raise_without_memory();
    return variable_;
  }
  operator const Variable&() const { return variable(); }

  const Tensor& value() const { return variable().value(); }
  const Tensor& master() const { return master_; }
  bool has_master() const { return master_.defined(); }
  /// The most exact copy there is: the master if present, else the value.
  const Tensor& weight() const { return has_master() ? master_ : value(); }
  const Shape& shape() const { return variable_.shape(); }
  DType dtype() const { return variable_.dtype(); }
  Device device() const { return variable_.device(); }
  int64_t numel() const { return variable_.numel(); }
  /// Whether it has values.
  bool has_memory() const { return has_memory_; }
  /// Whether it was made by of_kernels().
  bool is_of_kernels() const { return is_of_kernels_; }

  /// Gradient since the last zero_grad; undefined when none has arrived.
  Tensor grad() const { return leaf_.grad(); }
  /// Forgets the gradient but keeps its memory.
  void zero_grad() { leaf_.zero_grad(); }

  bool requires_grad() const { return variable_.requires_grad(); }
  /// Freezes (false) or trains the parameter. Freezing drops a gradient that has been collected.
  void set_requires_grad(bool required);

  /// Overwrites value and master with `weight` (converted once each). Throws ShapeError.
  void assign(const Tensor& weight);
  /// Takes `weight` over as the value, sharing its memory, in place of value and master. What is not contiguous, or has
  /// another dtype than `dtype`, is copied. Drops the gradient. Graphs recorded before keep the old value.
  /// Throws ShapeError; DTypeError unless `dtype` is floating.
  void adopt(const Tensor& weight, DType dtype);
  /// Changes the compute dtype. A master is made from the present weight when the new dtype has 16 bits and
  /// `keep_master`; otherwise there is none. Drops the gradient. Graphs recorded before keep the old value.
  void to_dtype(DType dtype, bool keep_master);
  /// Moves value and master to `device`; memory order, dtypes and whether it is trained stay. Drops the gradient, and
  /// leaves an arena (nn/parameter_arena.h): build the optimiser after. Graphs recorded before keep the old value.
  /// Throws DeviceError when the device is not there.
  void to_device(Device device);

  /// Moves value, master (undefined unless there is one) and gradient into memory owned by an arena; contents are kept.
  /// Each must have this parameter's shape and its own dtype.
  void rebind(Tensor value, Tensor master, Tensor grad);

 private:
  void set_value(Tensor value);
  [[noreturn]] void raise_without_memory() const;

  Variable leaf_;      // always a leaf; keeps the gradient's address while the parameter is frozen
  Variable variable_;  // leaf_, or its value as a constant
  Tensor master_;
  bool has_memory_ = true;
  bool is_of_kernels_ = false;
};

}  // namespace plumb
