#pragma once

#include <vector>

#include "engine/tensor.h"

namespace plumb {

/// A = V^T diag(values) V with orthonormal rows in V.
struct SymmetricEigen {
  std::vector<double> values;  ///< [N], ascending
  Tensor vectors;              ///< f64 [N, N], row i belongs to values[i]; undefined when they were not asked for
};

/// Eigenvalues and eigenvectors of a symmetric matrix: Householder's reduction to a tridiagonal one, then implicit QL
/// steps with Wilkinson's shift [Golub and Van Loan, Matrix Computations, section 8.3; the steps are EISPACK's tql2].
/// matrix: f64 [N, N] on the CPU; what lies above the diagonal is not read. Values are exact for a matrix within some
/// N epsilon |A| of the given one. N^3 work. Throws ShapeError, DTypeError, and NumericError for a number that is not
/// finite.
SymmetricEigen symmetric_eigen(const Tensor& matrix, bool vectors = true);

/// The symmetric square root of a matrix without negative eigenvalues; those that rounding made negative count as 0.
Tensor symmetric_root(const Tensor& matrix);

}  // namespace plumb
