// Linear algebra on symmetric matrices, over LAPACK and BLAS.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <vector>

#include "core/no_postgres.h"

namespace lookalike {

/// n x n numbers, one row after the other; rows are columns, too, where it is symmetric.
struct Matrix {
    size_t row_count = 0;
    size_t column_count = 0;
    std::vector<double> values;

    Matrix(size_t rows, size_t columns)
        : row_count(rows), column_count(columns), values(rows * columns) {}
    double* row(size_t i) { return values.data() + i * column_count; }
    const double* row(size_t i) const { return values.data() + i * column_count; }
    double trace() const;
    void add_to_diagonal(double amount);
    void scale(double factor);
};

/// LAPACK did not come to an end.
class NoEigenvectors : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Row i is the eigenvector of values[i], of length 1, its largest component positive.
struct Eigenvectors {
    std::vector<double> values;  ///< the greatest first
    Matrix vectors;
};

/// The `count` greatest eigenvalues. Destroys `matrix`. REQUIRES: symmetric; 1 <= count <= rows.
Eigenvectors top_eigenvectors(Matrix& matrix, size_t count);

/// Adds the outer products of `row_count` rows of sum.column_count numbers, one after the other, to
/// `sum`, whose other half is filled in by complete_symmetric().
void add_outer_products(const double* rows, size_t row_count, Matrix& sum);
void complete_symmetric(Matrix& sum);

/// a * b
Matrix product(const Matrix& a, const Matrix& b);
/// a * b transposed
Matrix product_with_transposed(const Matrix& a, const Matrix& b);

}  // namespace lookalike
