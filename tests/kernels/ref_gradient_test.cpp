// SPDX-License-Identifier: Apache-2.0
// Every forward operation that has a gradient, against central differences in f64: the objective is the sum
// of all results times random cotangents, the sizes are odd.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/philox.h"
#include "tensors.h"

namespace pleat::kernels::testing {
namespace {

using base::DType;
using graph::Attributes;
using graph::Op;
using graph::OperandType;

constexpr double kRelativeError = 1e-6;
constexpr double kStep =
    1e-5;  // truncation about 1e-10 of the third derivative, rounding about 1e-11 of the objective

OperandType f64(std::initializer_list<int64_t> dims) {
  return CaseList::f64(dims);
}
OperandType i32(std::initializer_list<int64_t> dims) {
  return CaseList::i32(dims);
}

Buffer random(std::initializer_list<int64_t> dims, std::string_view name) {
  Buffer buffer(f64(dims));
  const base::RandomStream stream(3, name, "gradient");
  const tensor::View view = buffer.view();
  for (int64_t r = 0; r < view.rows(); ++r)
    for (int64_t c = 0; c < view.columns(); ++c)
      view.set(r, c, stream.normal(static_cast<uint64_t>(r * view.columns() + c)));
  return buffer;
}

/// An operation at a point, and the cotangents of its floating results (none: that result is not
/// differentiated).
struct Point {
  Op op;
  Attributes attributes;
  std::vector<Buffer> reads;
  std::vector<OperandType> results;
  std::vector<std::optional<Buffer>> cotangents;

  std::vector<Buffer> run() const {
    std::vector<const Buffer*> pointers;
    for (const Buffer& buffer : reads) pointers.push_back(&buffer);
    return reference_results(op, attributes, pointers, results);
  }
  double objective() const {
    const std::vector<Buffer> values = run();
    double sum = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      if (!cotangents[i]) continue;
      const std::vector<double> value = values[i].numbers(), cotangent = cotangents[i]->numbers();
      for (size_t n = 0; n < value.size(); ++n)
        if (cotangent[n] != 0) sum += value[n] * cotangent[n];  // rows without a meaning may hold anything
    }
    return sum;
  }
};

void expect_gradient(Point& at, size_t operand, const Buffer& gradient) {
  SCOPED_TRACE(fmt::format("{}, operand {}", name_of(at.op), operand));
  const tensor::View x = at.reads[operand].view(), g = gradient.view();
  double largest = 0, worst = 0;
  for (int64_t r = 0; r < x.rows(); ++r)
    for (int64_t c = 0; c < x.columns(); ++c) {
      const double here = x.get(r, c);
      x.set(r, c, here + kStep);
      const double above = at.objective();
      x.set(r, c, here - kStep);
      const double below = at.objective();
      x.set(r, c, here);
      worst = std::max(worst, std::fabs((above - below) / (2 * kStep) - g.get(r, c)));
      largest = std::max(largest, std::fabs(g.get(r, c)));
    }
  EXPECT_GT(largest, 0);
  EXPECT_LE(worst, kRelativeError * largest) << "largest gradient " << largest;
}

std::vector<Buffer> gradients(Op op, const Attributes& attributes, const std::vector<const Buffer*>& reads,
                              const std::vector<OperandType>& results) {
  return reference_results(op, attributes, reads, results);
}

TEST(Gradient, LinearRows) {
  Point scale{Op::scale, {{"factor", 0.3}}, {}, {f64({5, 3})}, {random({5, 3}, "dy")}};
  scale.reads.push_back(random({5, 3}, "x"));
  expect_gradient(scale, 0,
                  gradients(Op::scale, scale.attributes, {&*scale.cotangents[0]}, scale.results)[0]);

  Point bias{Op::add_bias, {}, {}, {f64({5, 3})}, {random({5, 3}, "dy")}};
  bias.reads.push_back(random({5, 3}, "x")), bias.reads.push_back(random({3}, "b"));
  expect_gradient(bias, 0, *bias.cotangents[0]);
  expect_gradient(bias, 1, gradients(Op::column_sum, {}, {&*bias.cotangents[0]}, {f64({3})})[0]);
}

TEST(Gradient, Embedding) {
  Point p{Op::embedding, {}, {}, {f64({5, 3})}, {random({5, 3}, "dy")}};
  p.reads.push_back(random({4, 3}, "table"));
  p.reads.push_back(tensor_of(i32({5}), {3, 0, 3, 1, 3}));
  expect_gradient(p, 0,
                  gradients(Op::embedding_grad, {}, {&p.reads[1], &*p.cotangents[0]}, {f64({4, 3})})[0]);
}

TEST(Gradient, RmsNorm) {
  Point p{Op::rms_norm,
          {{"eps", 0.01}},
          {},
          {f64({5, 3, 7}), f64({5, 3})},
          {random({5, 3, 7}, "dy"), std::nullopt}};
  p.reads.push_back(random({5, 3, 7}, "x")), p.reads.push_back(random({7}, "w"));
  const auto forward = p.run();
  const auto g = gradients(Op::rms_norm_grad, {}, {&p.reads[0], &p.reads[1], &forward[1], &*p.cotangents[0]},
                           {f64({5, 3, 7}), f64({7})});
  expect_gradient(p, 0, g[0]);
  expect_gradient(p, 1, g[1]);
}

TEST(Gradient, MatmulIsClosedUnderDifferentiation) {
  const auto flags = [](int64_t a, int64_t b) { return Attributes{{"transpose_a", a}, {"transpose_b", b}}; };
  Point p{Op::matmul, flags(0, 1), {}, {f64({5, 3})}, {random({5, 3}, "dy")}};
  p.reads.push_back(random({5, 7}, "x")), p.reads.push_back(random({3, 7}, "w"));
  const Buffer& dy = *p.cotangents[0];
  expect_gradient(p, 0, gradients(Op::matmul, flags(0, 0), {&dy, &p.reads[1]}, {f64({5, 7})})[0]);
  expect_gradient(p, 1, gradients(Op::matmul, flags(1, 0), {&dy, &p.reads[0]}, {f64({3, 7})})[0]);
}

TEST(Gradient, Rope) {
  Point p{Op::rope, {{"inverse", int64_t{0}}}, {}, {f64({5, 3, 6})}, {random({5, 3, 6}, "dy")}};
  p.reads.push_back(random({5, 3, 6}, "x"));
  p.reads.push_back(tensor_of(i32({5}), {0, 6, 2, 2, 5}));
  p.reads.push_back(random({7, 6}, "table"));
  const Attributes inverse{{"inverse", int64_t{1}}};
  expect_gradient(p, 0,
                  gradients(Op::rope, inverse, {&*p.cotangents[0], &p.reads[1], &p.reads[2]}, p.results)[0]);
}

TEST(Gradient, Attention) {
  for (int64_t window : {0, 3}) {
    const Attributes attributes{{"sequence", int64_t{7}}, {"window", window}, {"scale", 0.4}};
    const OperandType q = f64({14, 6, 5}), k = f64({14, 2, 5});
    Point p{Op::attention, attributes, {}, {q, f64({14, 6})}, {random({14, 6, 5}, "do"), std::nullopt}};
    p.reads.push_back(random({14, 6, 5}, "q"));
    p.reads.push_back(random({14, 2, 5}, "k")), p.reads.push_back(random({14, 2, 5}, "v"));
    p.reads.push_back(tensor_of(i32({14}), {0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2}));
    const auto forward = p.run();
    const auto g = gradients(
        Op::attention_grad, attributes,
        {&p.reads[0], &p.reads[1], &p.reads[2], &p.reads[3], &forward[0], &forward[1], &*p.cotangents[0]},
        {q, k, k});
    for (size_t i = 0; i < 3; ++i) expect_gradient(p, i, g[i]);
  }
}

TEST(Gradient, SwigluOnAllRowsAndOnExpertRows) {
  Point p{Op::swiglu, {}, {}, {f64({5, 3})}, {random({5, 3}, "dy")}};
  p.reads.push_back(random({5, 6}, "x"));
  expect_gradient(p, 0, gradients(Op::swiglu_grad, {}, {&p.reads[0], &*p.cotangents[0]}, {f64({5, 6})})[0]);

  const Attributes attributes{{"tile", int64_t{4}}};
  Point ragged{
      Op::swiglu, attributes, {}, {f64({7, 1})}, {tensor_of(f64({7, 1}), {0.3, -1, 0.7, 0, 2, 0.1, 0})}};
  ragged.reads.push_back(random({7, 2}, "x"));
  ragged.reads.push_back(tensor_of(i32({1, 3}), {3, 0, 2}));
  const auto dx = gradients(Op::swiglu_grad, attributes,
                            {&ragged.reads[0], &*ragged.cotangents[0], &ragged.reads[1]}, {f64({7, 2})});
  expect_gradient(ragged, 0, dx[0]);
}

TEST(Gradient, CrossEntropy) {
  Point p{Op::cross_entropy, {}, {}, {f64({5}), f64({5})}, {random({5}, "dloss"), std::nullopt}};
  p.reads.push_back(random({5, 7}, "logits"));
  p.reads.push_back(tensor_of(i32({5}), {6, 0, -100, 3, 3}));
  p.reads.push_back(tensor_of(CaseList::f32({5}), {1, 0.5, 0, 2, 1}));
  const auto forward = p.run();
  expect_gradient(
      p, 0,
      gradients(Op::cross_entropy_grad, {},
                {&p.reads[0], &p.reads[1], &p.reads[2], &forward[1], &*p.cotangents[0]}, {f64({5, 7})})[0]);
}

TEST(Gradient, Router) {
  for (int64_t renormalise : {0, 1}) {
    const Attributes attributes{{"top_k", int64_t{3}}, {"renormalise", renormalise}};
    Point p{Op::router, attributes, {}, {f64({5, 7}), f64({5, 3}), i32({5, 3}), f64({5})}, {}};
    p.cotangents = {random({5, 7}, "dprobs"), random({5, 3}, "dweights"), std::nullopt, random({5}, "dlse")};
    p.reads.push_back(random({5, 7}, "logits"));
    const auto forward = p.run();
    const auto g = gradients(
        Op::router_grad, attributes,
        {&forward[0], &forward[1], &forward[2], &*p.cotangents[1], &*p.cotangents[0], &*p.cotangents[3]},
        {f64({5, 7})});
    expect_gradient(p, 0, g[0]);
  }
}

TEST(Gradient, RouterSumsAndBalanceLoss) {
  Point sums{Op::router_sums, {}, {}, {f64({3, 5}), f64({3, 5}), f64({3})}, {}};
  sums.cotangents = {std::nullopt, random({3, 5}, "dsums"), random({3}, "dsquares")};
  sums.reads.push_back(random({9, 5}, "probs"));
  sums.reads.push_back(Buffer(i32({9, 2})));
  sums.reads.push_back(random({9}, "lse"));
  const auto g =
      gradients(Op::router_sums_grad, {}, {&sums.reads[2], &*sums.cotangents[1], &*sums.cotangents[2]},
                {f64({9, 5}), f64({9})});
  expect_gradient(sums, 0, g[0]);
  expect_gradient(sums, 2, g[1]);

  const Attributes rows{{"rows", int64_t{9}}};
  Point loss{Op::balance_loss, rows, {}, {f64({3})}, {random({3}, "dloss")}};
  loss.reads.push_back(random({3, 5}, "counts")), loss.reads.push_back(random({3, 5}, "sums"));
  expect_gradient(
      loss, 1,
      gradients(Op::balance_loss_grad, rows, {&loss.reads[0], &*loss.cotangents[0]}, {f64({3, 5})})[0]);
}

TEST(Gradient, PermuteUnpermuteAndCombine) {
  const Buffer rows = tensor_of(i32({3, 2}), {4, 0, 1, 6, 2, 5});  // row 3 of 7 is padding
  Buffer dy = random({7, 3}, "dy");
  for (int64_t d = 0; d < 3; ++d) dy.view().set(3, d, 0);
  Point permute{Op::permute, {}, {}, {f64({7, 3})}, {dy}};
  permute.reads.push_back(random({3, 3}, "x")), permute.reads.push_back(rows);
  expect_gradient(permute, 0, gradients(Op::unpermute, {}, {&dy, &rows}, {f64({3, 3})})[0]);

  Point unpermute{Op::unpermute, {}, {}, {f64({3, 3})}, {random({3, 3}, "dx")}};
  unpermute.reads.push_back(random({7, 3}, "y")), unpermute.reads.push_back(rows);
  expect_gradient(unpermute, 0,
                  gradients(Op::permute, {}, {&*unpermute.cotangents[0], &rows}, {f64({7, 3})})[0]);

  Point combine{Op::combine, {}, {}, {f64({3, 3})}, {random({3, 3}, "dout")}};
  combine.reads.push_back(random({7, 3}, "y")), combine.reads.push_back(rows);
  combine.reads.push_back(random({3, 2}, "weights"));
  const auto g =
      gradients(Op::combine_grad, {}, {&combine.reads[0], &rows, &combine.reads[2], &*combine.cotangents[0]},
                {f64({7, 3}), f64({3, 2})});
  expect_gradient(combine, 0, g[0]);
  expect_gradient(combine, 2, g[1]);
}

TEST(Gradient, GroupedMatmulIsClosedUnderDifferentiation) {
  const auto flags = [](int64_t b) { return Attributes{{"transpose_b", b}, {"tile", int64_t{4}}}; };
  const Buffer counts = tensor_of(i32({2, 3}), {1, 0, 2, 2, 0, 1});  // rows 0-2, none, 4-6 of 8
  Buffer dy = random({8, 3}, "dy");
  for (int64_t row : {3, 7})
    for (int64_t n = 0; n < 3; ++n) dy.view().set(row, n, 0);
  Point p{Op::grouped_matmul, flags(1), {}, {f64({8, 3})}, {dy}};
  p.reads.push_back(random({8, 5}, "x")), p.reads.push_back(random({3, 3, 5}, "w")),
      p.reads.push_back(counts);
  expect_gradient(p, 0,
                  gradients(Op::grouped_matmul, flags(0), {&dy, &p.reads[1], &counts}, {f64({8, 5})})[0]);
  expect_gradient(p, 1,
                  gradients(Op::grouped_outer, flags(0), {&dy, &p.reads[0], &counts}, {f64({3, 3, 5})})[0]);
}

}  // namespace
}  // namespace pleat::kernels::testing
