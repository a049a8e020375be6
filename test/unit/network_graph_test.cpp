#include "network/graph.h"

#include <gtest/gtest.h>

#include <cmath>

#include "onnx_builder.h"

namespace lookalike {
namespace {

using Floats = std::vector<float>;
using Integers = std::vector<int64_t>;

Tensor run(const OnnxBuilder& builder, const std::vector<Tensor>& inputs) {
    return Graph(read_onnx(builder.file()), "").run(inputs);
}

/// What one node makes of constants, "a" and "b" and so on, as a network without inputs.
Tensor run_node(OnnxBuilder& builder, const char* type, const std::vector<std::string>& inputs) {
    builder.node(type, inputs, {"out"}).output("out");
    return run(builder, {});
}

void expect_floats(const Tensor& tensor, const Shape& shape, const Floats& elements) {
    EXPECT_EQ(tensor.shape(), shape);
    ASSERT_EQ(tensor.reals().size(), elements.size());
    for (size_t i = 0; i < elements.size(); ++i)
        EXPECT_NEAR(tensor.reals()[i], elements[i], 1e-5) << i;
}

void expect_integers(const Tensor& tensor, const Shape& shape, const Integers& elements) {
    EXPECT_EQ(tensor.shape(), shape);
    EXPECT_EQ(tensor.numbers(), elements);
}

std::string error_of(const std::string& file, const std::vector<Tensor>& inputs = {}) {
    try {
        Graph(read_onnx(file), "").run(inputs);
    } catch (const NetworkError& error) {
        return error.what();
    }
    return "";
}

TEST(Graph, ShapesMeet) {
    OnnxBuilder rows;
    rows.floats("a", {2, 1, 2}, {1, 2, 3, 4}).floats("b", {3, 1}, {10, 20, 30});
    expect_floats(run_node(rows, "Add", {"a", "b"}), {2, 3, 2},
                  {11, 12, 21, 22, 31, 32, 13, 14, 23, 24, 33, 34});
    OnnxBuilder whole;
    whole.integers("a", {2}, {7, -7}).integers("b", {}, {2});
    expect_integers(run_node(whole, "Div", {"a", "b"}), {2}, {3, -3});
    OnnxBuilder lowest;
    lowest.integers("a", {}, {INT64_MIN}).integers("b", {}, {-1});
    expect_integers(run_node(lowest, "Div", {"a", "b"}), {}, {INT64_MIN});
    OnnxBuilder unlike;
    unlike.floats("a", {2}, {1, 2}).floats("b", {3}, {1, 2, 3}).node("Mul", {"a", "b"}, {"out"});
    EXPECT_NE(error_of(unlike.output("out").file()).find("node \"/out\" (Mul) cannot be run"),
              std::string::npos);
}

// OpenCV 4.6 gives a wrong product here, and no error.
TEST(Graph, MultipliesRowsByAConstantWhereBothSizesAreEqual) {
    OnnxBuilder builder;
    builder.input("x", {1, 2, 2}, true).floats("scale", {2}, {10, 100});
    builder.node("Mul", {"x", "scale"}, {"out"}).output("out");
    expect_floats(run(builder, {Tensor::floats({1, 2, 2}, {1, 2, 3, 4})}), {1, 2, 2},
                  {10, 200, 30, 400});
}

TEST(Graph, MultipliesMatrices) {
    for (const int64_t columns : {1, 7, 16, 33, 70}) {
        const int64_t rows = 6, depth = 5;
        Floats a, b;
        for (int64_t i = 0; i < rows * depth; ++i)
            a.push_back(static_cast<float>(i % 7) - 3);
        for (int64_t i = 0; i < depth * columns; ++i)
            b.push_back(static_cast<float>(i % 5) - 1);
        Floats expected, turned(b.size());
        for (int64_t i = 0; i < rows; ++i)
            for (int64_t j = 0; j < columns; ++j) {
                float sum = 0;
                for (int64_t k = 0; k < depth; ++k)
                    sum += a[i * depth + k] * b[k * columns + j];
                expected.push_back(sum);
            }
        for (int64_t k = 0; k < depth; ++k)
            for (int64_t j = 0; j < columns; ++j)
                turned[j * depth + k] = b[k * columns + j];
        OnnxBuilder plain;
        plain.floats("a", {2, 3, depth}, a).floats("b", {depth, columns}, b);
        expect_floats(run_node(plain, "MatMul", {"a", "b"}), {2, 3, columns}, expected);
        OnnxBuilder general;
        general.floats("a", {rows, depth}, a).floats("b", {columns, depth}, turned);
        general.with("transB", 1);
        expect_floats(run_node(general, "Gemm", {"a", "b"}), {rows, columns}, expected);
    }
    OnnxBuilder many;
    many.floats("a", {2, 1, 2}, {1, 2, 3, 4}).floats("b", {2, 2, 1}, {1, 1, 10, 10});
    expect_floats(run_node(many, "MatMul", {"a", "b"}), {2, 1, 1}, {3, 70});
}

TEST(Graph, NormalizesRows) {
    OnnxBuilder soft;
    soft.floats("a", {2, 2}, {0, std::log(3.0f), 1000, 1000});
    expect_floats(run_node(soft, "Softmax", {"a"}), {2, 2}, {0.25, 0.75, 0.5, 0.5});
    OnnxBuilder old(11);
    old.floats("a", {1, 2, 2}, {0, 0, 0, 0});
    expect_floats(run_node(old, "Softmax", {"a"}), {1, 2, 2}, {0.25, 0.25, 0.25, 0.25});
    OnnxBuilder layer(17);
    layer.floats("a", {1, 2}, {1, 3}).floats("s", {2}, {2, 2}).floats("b", {2}, {0, 5});
    expect_floats(run_node(layer, "LayerNormalization", {"a", "s", "b"}), {1, 2},
                  {-1.99999f, 6.99999f});
    OnnxBuilder length(13);
    length.floats("a", {1, 2}, {3, 4}).with("axes", OnnxBuilder::Sizes{-1});
    expect_floats(run_node(length, "ReduceL2", {"a"}), {1, 1}, {5});
}

TEST(Graph, MovesElements) {
    OnnxBuilder turned;
    turned.integers("a", {2, 3}, {1, 2, 3, 4, 5, 6}).with("perm", OnnxBuilder::Sizes{1, 0});
    expect_integers(run_node(turned, "Transpose", {"a"}), {3, 2}, {1, 4, 2, 5, 3, 6});
    OnnxBuilder taken;
    taken.floats("a", {3, 2}, {1, 2, 3, 4, 5, 6}).integers("i", {2}, {-1, 0});
    expect_floats(run_node(taken, "Gather", {"a", "i"}), {2, 2}, {5, 6, 1, 2});
    OnnxBuilder cut;
    cut.integers("a", {2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
    cut.integers("s", {1}, {1}).integers("e", {1}, {INT64_MAX}).integers("x", {1}, {1});
    cut.integers("t", {1}, {2});
    expect_integers(run_node(cut, "Slice", {"a", "s", "e", "x", "t"}), {2, 2}, {2, 4, 6, 8});
    OnnxBuilder joined;
    joined.integers("a", {2, 1}, {1, 2}).integers("b", {2, 2}, {3, 4, 5, 6}).with("axis", 1);
    expect_integers(run_node(joined, "Concat", {"a", "b"}), {2, 3}, {1, 3, 4, 2, 5, 6});
    OnnxBuilder shaped;
    shaped.integers("a", {2, 3}, {1, 2, 3, 4, 5, 6}).integers("s", {2}, {0, -1});
    expect_integers(run_node(shaped, "Reshape", {"a", "s"}), {2, 3}, {1, 2, 3, 4, 5, 6});
    OnnxBuilder wide;
    wide.integers("a", {2, 1}, {1, 2}).integers("s", {2}, {1, 2});
    expect_integers(run_node(wide, "Expand", {"a", "s"}), {2, 2}, {1, 1, 2, 2});
    OnnxBuilder best;
    best.integers("a", {2, 3}, {1, 9, 9, 4, 2, 3}).with("axis", -1).with("keepdims", 0);
    expect_integers(run_node(best, "ArgMax", {"a"}), {2}, {1, 0});
}

TEST(Graph, ConvolvesPictures) {
    OnnxBuilder builder;
    builder.floats("x", {1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
    builder.floats("k", {2, 1, 2, 2}, {1, 0, 0, 1, 0, 0, 0, 2}).floats("b", {2}, {0, 100});
    builder.with("strides", OnnxBuilder::Sizes{2, 2}).with("pads", OnnxBuilder::Sizes{0, 0, 1, 1});
    expect_floats(run_node(builder, "Conv", {"x", "k", "b"}), {1, 2, 2, 2},
                  {6, 3, 7, 9, 110, 100, 100, 100});
}

TEST(Graph, RefusesWhatItDoesNotKnow) {
    OnnxBuilder unknown;
    unknown.input("x", {1}, true).node("Frobnicate", {"x"}, {"out"}).output("out");
    EXPECT_EQ(error_of(unknown.file()),
              "node \"/out\" (Frobnicate) is of a type that is not known");
    OnnxBuilder cycle;
    cycle.node("Abs", {"b"}, {"a"}).node("Abs", {"a"}, {"b"}).output("b");
    EXPECT_EQ(error_of(cycle.file()), "node \"/a\" (Abs) reads what no node before it gives");
    OnnxBuilder nothing;
    nothing.input("x", {1}, true).node("Abs", {"x"}, {"y"}).output("z");
    EXPECT_EQ(error_of(nothing.file()), "the network has no output \"z\"");
    OnnxBuilder large;
    large.integers("s", {3}, {1 << 20, 1 << 20, 1 << 20}).node("ConstantOfShape", {"s"}, {"out"});
    EXPECT_NE(error_of(large.output("out").file()).find("too large"), std::string::npos);
    OnnxBuilder outside;
    outside.floats("a", {2}, {1, 2}).integers("i", {1}, {2}).node("Gather", {"a", "i"}, {"out"});
    EXPECT_NE(error_of(outside.output("out").file()).find("an index of 2 lies outside of 2"),
              std::string::npos);
    // What is not needed may be anything.
    OnnxBuilder spare;
    spare.input("x", {1}, true).node("Frobnicate", {"x"}, {"y"}).node("Neg", {"x"}, {"out"});
    expect_floats(run(spare.output("out"), {Tensor::floats({1}, {2})}), {1}, {-2});
}

TEST(Graph, DamagedFilesAreErrors) {
    OnnxBuilder builder;
    builder.input("x", {1, 2}, true).floats("w", {2, 2}, {1, 2, 3, 4});
    builder.node("MatMul", {"x", "w"}, {"y"}).with("axis", 1).node("Softmax", {"y"}, {"out"});
    const std::string file = builder.output("out").file();
    const std::vector<Tensor> input = {Tensor::floats({1, 2}, {1, 1})};
    EXPECT_EQ(error_of(file, input), "");
    int errors = 0;
    for (size_t i = 0; i < file.size(); ++i) {
        errors += error_of(file.substr(0, i), input) != "";
        for (const int flip : {0x01, 0x10, 0x80}) {
            std::string damaged = file;
            damaged[i] = static_cast<char>(damaged[i] ^ flip);
            errors += error_of(damaged, input) != "";
        }
    }
    EXPECT_GT(errors, static_cast<int>(file.size()));
}

}  // namespace
}  // namespace lookalike
