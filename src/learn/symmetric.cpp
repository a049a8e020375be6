#include "learn/symmetric.h"

#include <algorithm>
#include <cmath>

extern "C" {
void dsyevr_(const char* job, const char* range, const char* half, const int* n, double* a,
             const int* lda, const double* from, const double* to, const int* first,
             const int* last, const double* tolerance, int* found, double* values, double* vectors,
             const int* ldz, int* support, double* work, const int* work_size, int* integer_work,
             const int* integer_work_size, int* info);
void dsyrk_(const char* half, const char* trans, const int* n, const int* k, const double* alpha,
            const double* a, const int* lda, const double* beta, double* c, const int* ldc);
void dgemm_(const char* trans_a, const char* trans_b, const int* m, const int* n, const int* k,
            const double* alpha, const double* a, const int* lda, const double* b, const int* ldb,
            const double* beta, double* c, const int* ldc);
}

namespace lookalike {
namespace {

// A vector and its negative are one direction: this says which of them is given out.
void settle_sign(double* vector, size_t size) {
    const double largest = *std::max_element(
        vector, vector + size, [](double a, double b) { return std::fabs(a) < std::fabs(b); });
    if (largest < 0) std::transform(vector, vector + size, vector, std::negate<>());
}

}  // namespace

double Matrix::trace() const {
    double sum = 0;
    for (size_t i = 0; i < row_count; ++i)
        sum += row(i)[i];
    return sum;
}

void Matrix::add_to_diagonal(double amount) {
    for (size_t i = 0; i < row_count; ++i)
        row(i)[i] += amount;
}

void Matrix::scale(double factor) {
    for (double& value : values)
        value *= factor;
}

Eigenvectors top_eigenvectors(Matrix& matrix, size_t count) {
    const int n = static_cast<int>(matrix.row_count);
    const int first = n - static_cast<int>(count) + 1;
    const int work_size = 26 * n, integer_work_size = 10 * n;
    const double unused = 0;
    std::vector<double> values(matrix.row_count), work(work_size);
    std::vector<int> support(2 * count), integer_work(integer_work_size);
    Matrix ascending(count, matrix.row_count);
    int found = 0, info = 0;
    dsyevr_("V", "I", "U", &n, matrix.values.data(), &n, &unused, &unused, &first, &n, &unused,
            &found, values.data(), ascending.values.data(), &n, support.data(), work.data(),
            &work_size, integer_work.data(), &integer_work_size, &info);
    if (info != 0 || found != static_cast<int>(count))
        throw NoEigenvectors("the eigenvectors of the marks could not be computed");
    Eigenvectors result{.values = {}, .vectors = Matrix(count, matrix.row_count)};
    for (size_t i = 0; i < count; ++i) {
        result.values.push_back(values[count - 1 - i]);
        std::copy_n(ascending.row(count - 1 - i), matrix.row_count, result.vectors.row(i));
        settle_sign(result.vectors.row(i), matrix.row_count);
    }
    return result;
}

// BLAS takes a matrix of rows for the transposed one of columns: its lower half is our upper one.
void add_outer_products(const double* rows, size_t row_count, Matrix& sum) {
    const int n = static_cast<int>(sum.column_count), k = static_cast<int>(row_count);
    const double one = 1;
    dsyrk_("L", "N", &n, &k, &one, rows, &n, &one, sum.values.data(), &n);
}

void complete_symmetric(Matrix& sum) {
    for (size_t i = 0; i < sum.row_count; ++i)
        for (size_t j = 0; j < i; ++j)
            sum.row(i)[j] = sum.row(j)[i];
}

Matrix product(const Matrix& a, const Matrix& b) {
    Matrix result(a.row_count, b.column_count);
    const int m = static_cast<int>(b.column_count), n = static_cast<int>(a.row_count),
              k = static_cast<int>(a.column_count);
    const double one = 1, zero = 0;
    dgemm_("N", "N", &m, &n, &k, &one, b.values.data(), &m, a.values.data(), &k, &zero,
           result.values.data(), &m);
    return result;
}

Matrix product_with_transposed(const Matrix& a, const Matrix& b) {
    Matrix result(a.row_count, b.row_count);
    const int m = static_cast<int>(b.row_count), n = static_cast<int>(a.row_count),
              k = static_cast<int>(a.column_count);
    const double one = 1, zero = 0;
    dgemm_("T", "N", &m, &n, &k, &one, b.values.data(), &k, a.values.data(), &k, &zero,
           result.values.data(), &m);
    return result;
}

}  // namespace lookalike
