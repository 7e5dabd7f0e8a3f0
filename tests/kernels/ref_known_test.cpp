// SPDX-License-Identifier: Apache-2.0
// Answers worked out by hand (or printed by transformers, where said) for operations with corners.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tensors.h"

namespace pleat::kernels::testing {
namespace {

using graph::Attributes;
using graph::Op;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string error_of(Op op, const Attributes& attributes, const std::vector<const Buffer*>& reads,
                     const std::vector<graph::OperandType>& writes) {
  try {
    reference_results(op, attributes, reads, writes);
  } catch (const base::CheckError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Embedding, NamesAnIdOutsideTheVocabulary) {
  const Buffer table = f64s({4, 1}, {10, 11, 12, 13}), good = i32s({3}, {3, 0, 3});
  EXPECT_EQ(reference_results(Op::embedding, {}, {&table, &good}, {CaseList::f64({3, 1})})[0].numbers(),
            (Numbers{13, 10, 13}));
  for (double id : {4, -1}) {
    const Buffer bad = i32s({3}, {0, 1, id});
    EXPECT_EQ(error_of(Op::embedding, {}, {&table, &bad}, {CaseList::f64({3, 1})}),
              fmt::format("embedding: id {} of token 2 is outside the vocabulary, [0, 4)", id));
  }
}

TEST(CrossEntropy, WeighsTokensAndReadsNoTargetOfWeightZero) {
  const Buffer logits = f64s({3, 4}, {0, 0, 0, 0, 0, std::log(2), 0, 0, kNan, 0, 0, 0});
  const Buffer targets = i32s({3}, {2, 1, -100}), weights = f32s({3}, {1, 0.5, 0});
  const auto three = CaseList::f64({3});
  const auto forward =
      reference_results(Op::cross_entropy, {}, {&logits, &targets, &weights}, {three, three});
  EXPECT_DOUBLE_EQ(forward[0].numbers()[0], std::log(4));
  EXPECT_DOUBLE_EQ(forward[0].numbers()[1], 0.5 * (std::log(5) - std::log(2)));
  EXPECT_EQ(forward[0].numbers()[2], 0);
  EXPECT_DOUBLE_EQ(forward[1].numbers()[1], std::log(5));

  const Buffer dloss = f64s({3}, {2, 2, kNan});
  const auto g = reference_results(Op::cross_entropy_grad, {},
                                   {&logits, &targets, &weights, &forward[1], &dloss}, {logits.type()})[0]
                     .numbers();
  const Numbers expected{0.5, 0.5, -1.5, 0.5, 0.2, -0.6, 0.2, 0.2, 0, 0, 0, 0};
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(g[i], expected[i], 1e-15) << i;
}

TEST(CrossEntropy, NamesATargetOutsideTheVocabulary) {
  const Buffer logits = f64s({2, 4}, {}), targets = i32s({2}, {0, 4}), weights = f32s({2}, {1, 1});
  const Buffer zeros = f64s({2}, {});
  const auto two = CaseList::f64({2});
  EXPECT_EQ(error_of(Op::cross_entropy, {}, {&logits, &targets, &weights}, {two, two}),
            "cross_entropy: target 4 of token 1 is outside the vocabulary, [0, 4)");
  EXPECT_EQ(
      error_of(Op::cross_entropy_grad, {}, {&logits, &targets, &weights, &zeros, &zeros}, {logits.type()}),
      "cross_entropy_grad: target 4 of token 1 is outside the vocabulary, [0, 4)");
}

std::vector<Buffer> routed(const Buffer& logits, int64_t top_k, int64_t renormalise) {
  const int64_t T = logits.type().shape[0];
  const auto chosen = graph::OperandType::dense(logits.type().dtype, {T, top_k});
  return reference_results(Op::router, {{"top_k", top_k}, {"renormalise", renormalise}}, {&logits},
                           {logits.type(), chosen, CaseList::i32({T, top_k}),
                            graph::OperandType::dense(logits.type().dtype, {T})});
}

TEST(Router, GivesTiesToTheLowestIndexInDescendingOrder) {
  const Buffer logits = f32s({3, 4}, {7, 7, 7, 7, 1, 3, 3, 2, 2, 1, 2, 3});
  const auto results = routed(logits, 3, 0);
  EXPECT_EQ(results[2].numbers(), (Numbers{0, 1, 2, 1, 2, 3, 3, 0, 2}));
  EXPECT_EQ(results[0].numbers()[3], 0.25);
  EXPECT_EQ(results[1].numbers()[0], 0.25);
  EXPECT_FLOAT_EQ(static_cast<float>(results[3].numbers()[0]), static_cast<float>(7 + std::log(4)));
  EXPECT_FLOAT_EQ(static_cast<float>(routed(logits, 3, 1)[1].numbers()[0]), 1.f / 3);
}

TEST(Router, ChoosesByLogitsWhereProbsUnderflow) {
  const auto results = routed(f32s({1, 3}, {100, -200, -199}), 2, 0);
  EXPECT_EQ(results[2].numbers(), (Numbers{0, 2}));
  EXPECT_EQ(results[1].numbers(), (Numbers{1, 0}));
}

TEST(Router, ChoosesDifferentExpertsEvenOfNan) {
  const auto indices = routed(f32s({1, 3}, {kNan, kNan, kNan}), 2, 0)[2].numbers();
  EXPECT_EQ(indices, (Numbers{0, 1}));
}

// transformers, load_balancing_loss_func and the two routers: two layers of 5 tokens, logits sin(1.7 i +
// 0.3).
TEST(Router, AgreesWithTransformers) {
  Buffer logits(CaseList::f64({10, 4}));
  for (int64_t i = 0; i < 40; ++i)
    logits.view().set(i / 4, i % 4, std::sin(1.7 * static_cast<double>(i) + 0.3));
  const auto plain = routed(logits, 2, 0), renormalised = routed(logits, 2, 1);
  EXPECT_EQ(plain[2].numbers(), (Numbers{1, 0, 0, 1, 0, 3, 0, 3, 3, 0, 3, 0, 3, 2, 2, 3, 2, 3, 2, 1}));
  EXPECT_NEAR(plain[1].numbers()[0], .5090546573, 5e-11);
  EXPECT_NEAR(plain[1].numbers()[1], .2755524998, 5e-11);
  EXPECT_NEAR(renormalised[1].numbers()[0], .6488019548, 5e-11);
  EXPECT_NEAR(renormalised[1].numbers()[1], .3511980452, 5e-11);

  const auto one = CaseList::f64({1}), experts = CaseList::f64({1, 4});
  const auto sums =
      reference_results(Op::router_sums, {}, {&plain[0], &plain[2], &plain[3]}, {experts, experts, one});
  EXPECT_EQ(sums[0].numbers(), (Numbers{6, 3, 4, 7}));
  const auto loss = reference_results(Op::balance_loss, {{"rows", int64_t{10}}}, {&sums[0], &sums[1]}, {one});
  EXPECT_NEAR(loss[0].numbers()[0], 2.067999740505119, 1e-14);
}

TEST(RouterSums, KeepGroupsApart) {
  const Buffer probs = f64s({4, 2}, {.25, .75, .5, .5, 1, 0, 0, 1}), indices = i32s({4, 1}, {1, 1, 0, 1});
  const Buffer lse = f64s({4}, {1, 2, 3, 4});
  const auto sums = reference_results(Op::router_sums, {}, {&probs, &indices, &lse},
                                      {CaseList::f64({2, 2}), CaseList::f64({2, 2}), CaseList::f64({2})});
  EXPECT_EQ(sums[0].numbers(), (Numbers{0, 2, 1, 1}));
  EXPECT_EQ(sums[1].numbers(), (Numbers{.75, 1.25, 1, 1}));
  EXPECT_EQ(sums[2].numbers(), (Numbers{5, 25}));
}

TEST(Route, CountsInRowMajorOrderAndStartsExpertsAtTiles) {
  const Buffer indices = i32s({3, 2}, {2, 0, 2, 4, 0, 2});  // experts 1 and 3 of 5 get nothing
  const auto results = reference_results(Op::route, {{"experts", int64_t{5}}, {"tile", int64_t{4}}},
                                         {&indices}, {indices.type(), CaseList::i32({1, 5})});
  EXPECT_EQ(results[1].numbers(), (Numbers{2, 0, 3, 0, 1}));
  EXPECT_EQ(results[0].numbers(), (Numbers{4, 0, 5, 8, 1, 6}));
  EXPECT_EQ(error_of(Op::route, {{"experts", int64_t{4}}, {"tile", int64_t{4}}}, {&indices},
                     {indices.type(), CaseList::i32({1, 4})}),
            "route: 1 of 6 indices are outside the experts, [0, 4)");
}

TEST(GroupedOuter, IsZeroForAnExpertWithoutRowsAndClampsAtTheBound) {
  const Buffer dy = f64s({3, 1}, {1, 2, 3}), x = f64s({3, 1}, {1, 1, 10}),
               counts = i32s({2, 3}, {1, 0, 1, 0, 0, 4});
  const auto dw = reference_results(Op::grouped_outer, {{"tile", int64_t{2}}}, {&dy, &x, &counts},
                                    {CaseList::f64({3, 1, 1})});
  EXPECT_EQ(dw[0].numbers(), (Numbers{1, 0, 30}));  // rows 0, none, 2 (of 2 to 6)
}

TEST(Attention, SeesItsSampleItsDocumentAndItsWindow) {
  // q = 0, so o is the mean of what is seen: samples {0,1,2} and {3,4,5}, a document ends before token 2.
  const Buffer q = f64s({6, 2, 1}, {}), k = f64s({6, 1, 1}, {}), v = f64s({6, 1, 1}, {1, 3, 6, 10, 20, 60});
  const Buffer documents = i32s({6}, {0, 0, 1, 1, 1, 1});
  const auto run = [&](int64_t window) {
    return reference_results(Op::attention, {{"sequence", int64_t{3}}, {"window", window}, {"scale", 1.0}},
                             {&q, &k, &v, &documents}, {q.type(), CaseList::f64({6, 2})});
  };
  EXPECT_EQ(run(0)[0].numbers(), (Numbers{1, 1, 2, 2, 6, 6, 10, 10, 15, 15, 30, 30}));
  EXPECT_EQ(run(2)[0].numbers(), (Numbers{1, 1, 2, 2, 6, 6, 10, 10, 15, 15, 40, 40}));
  EXPECT_EQ(run(1)[0].numbers(), (Numbers{1, 1, 3, 3, 6, 6, 10, 10, 20, 20, 60, 60}));
  EXPECT_DOUBLE_EQ(run(0)[1].numbers()[10], std::log(3));
}

TEST(Attention, SharesAKeyValueHeadAmongConsecutiveQueryHeads) {
  const Buffer q = f64s({1, 4, 1}, {1, 2, 3, 4}), k = f64s({1, 2, 1}, {10, 100}), v = f64s({1, 2, 1}, {5, 7});
  const Buffer documents = i32s({1}, {0});
  const auto results =
      reference_results(Op::attention, {{"sequence", int64_t{1}}, {"window", int64_t{0}}, {"scale", 0.5}},
                        {&q, &k, &v, &documents}, {q.type(), CaseList::f64({1, 4})});
  EXPECT_EQ(results[0].numbers(), (Numbers{5, 5, 7, 7}));
  EXPECT_EQ(results[1].numbers(), (Numbers{5, 10, 150, 200}));
}

TEST(RmsNorm, RoundsOnce) {
  const Buffer x = f64s({1, 2}, {3, 4}), w = f64s({2}, {1, 10});
  const auto results =
      reference_results(Op::rms_norm, {{"eps", 0.5}}, {&x, &w}, {x.type(), CaseList::f64({1})});
  const double rstd = 1 / std::sqrt(13.0);
  EXPECT_DOUBLE_EQ(results[1].numbers()[0], rstd);
  EXPECT_DOUBLE_EQ(results[0].numbers()[1], 40 * rstd);
}

TEST(Slice, TakesPartsOfAnyDim) {
  const Buffer x = f64s({2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7});
  const auto part = [&](int64_t dim, const graph::OperandType& type) {
    return reference_results(Op::slice, {{"dim", dim}, {"index", int64_t{1}}, {"parts", int64_t{2}}}, {&x},
                             {type})[0]
        .numbers();
  };
  EXPECT_EQ(part(0, CaseList::f64({1, 2, 2})), (Numbers{4, 5, 6, 7}));
  EXPECT_EQ(part(1, CaseList::f64({2, 1, 2})), (Numbers{2, 3, 6, 7}));
  EXPECT_EQ(part(2, CaseList::f64({2, 2, 1})), (Numbers{1, 3, 5, 7}));
}

TEST(Clip, ClipsByTheGlobalNormAndGuards) {
  const Buffer scalars = f64s({8}, {});
  const auto run = [&](double max_norm, double a, double b) {
    const Buffer squares = f64s({2}, {a, b});
    const auto one = CaseList::f64({1});
    const auto r = reference_results(Op::clip, {{"max_norm", max_norm}}, {&squares, &scalars},
                                     {one, one, CaseList::i32({1})});
    return Numbers{r[0].numbers()[0], r[1].numbers()[0], r[2].numbers()[0]};
  };
  EXPECT_EQ(run(0, 9, 16), (Numbers{5, 1, 1}));
  EXPECT_EQ(run(6, 9, 16), (Numbers{5, 1, 1}));
  EXPECT_EQ(run(1, 9, 16), (Numbers{5, 1 / (5 + 1e-6), 1}));
  EXPECT_EQ(run(1, 9, kInfinity)[2], 0);
  EXPECT_EQ(run(1, kNan, 9)[2], 0);
  EXPECT_EQ(run(0, kNan, 9)[2], 0);
}

TEST(AdamW, MovesByTheFormulaAndOnlyWithItsGuard) {
  const Attributes attributes{{"beta1", 0.75}, {"beta2", 0.5}, {"eps", 1.0}, {"weight_decay", 0.5}};
  const auto one = CaseList::f64({1});
  const graph::Signature signature{
      Op::adamw, attributes, {one, one, CaseList::i32({1}), CaseList::f64({8})}, {one, one, one}, 0};
  Team team(1);
  for (double guard : {0, 1}) {
    Operands o;
    o.reads = {f64s({1}, {8}), f64s({1}, {0.5}), i32s({1}, {guard}), f64s({8}, {0.1, 1})};
    o.writes = {f64s({1}, {2}), f64s({1}, {0}), f64s({1}, {0})};
    run_kernel("ref", signature, o, team);
    // g = 4, m = 1, v = 8, corrected 4 and 16: master - 0.1 (4 / (4 + 1) + 0.5 * 2)
    EXPECT_DOUBLE_EQ(o.writes[0].numbers()[0], guard == 0 ? 2 : 2 - 0.1 * (0.8 + 1));
    EXPECT_EQ(o.writes[1].numbers()[0], guard == 0 ? 0 : 1);
    EXPECT_EQ(o.writes[2].numbers()[0], guard == 0 ? 0 : 8);
  }
}

TEST(ExpertCounts, AreTheColumnsOfThisRank) {
  const Buffer all = i32s({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
  const auto mine = reference_results(Op::expert_counts, {{"index", int64_t{1}}, {"parts", int64_t{2}}},
                                      {&all}, {CaseList::i32({2, 2})});
  EXPECT_EQ(mine[0].numbers(), (Numbers{3, 4, 7, 8}));
}

}  // namespace
}  // namespace pleat::kernels::testing
