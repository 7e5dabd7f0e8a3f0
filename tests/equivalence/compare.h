// SPDX-License-Identifier: Apache-2.0
// When two recordings say the same: to the bit, or within bounds that follow from how the numbers came about.
#pragma once
#include <gtest/gtest.h>

#include "trial.h"

namespace pleat::equivalence {

/// Every number of every step, and the state after the last.
::testing::AssertionResult same_bits(const Recording& got, const Recording& want);
::testing::AssertionResult same_bits(const Tensors& got, const Tensors& want, const std::string& what);

/// Both runs did each step from the same state (TrialOptions::from), so nothing differs but the order of
/// sums.
///
/// Forward and backward work token by token, and a token's numbers do not depend on which rank or tile it is
/// in: every token's loss has the same bits. A gradient is a sum over tokens, the same fp32 terms t_i in
/// another order. Summing n terms one after the other, in whatever order or tree, errs by at most g(n) sum
/// |t_i|, g(n) = (n - 1) u / (1 - (n - 1) u), u = 2^-24 (Higham, Accuracy and Stability, 4.2); so two orders
/// differ by at most twice that. The additions whose order depends on the layout are those between
/// micro-batches, and, where experts are spread, between the rows of an expert, which arrive from several
/// ranks in one product. sum |t_i| is at most the recorded magnitude.
::testing::AssertionResult within_order_of_sums(const Recording& got, const Recording& want,
                                                const std::vector<Tensors>& magnitudes, int64_t micro_batches,
                                                int64_t rows_per_expert);

/// Both ran freely, so each step also starts from what the roundings of the steps before have become by then.
/// How much that is cannot be told from one step; but the same run in fp64 shows it: its distance from `want`
/// is what all roundings of fp32 have made of each number, and those of another order of sums are a few more
/// of the same kind. So a number may differ by at most this many times the largest distance in its tensor, or
/// what that is for the tensors of the step on average, in relation to their sizes: one of few elements may
/// be near by luck. Weights are measured by how far they have moved, and must have moved by 1,000 bounds.
inline constexpr double kDistances = 4;
::testing::AssertionResult within_roundings(const Recording& got, const Recording& want,
                                            const Recording& exact);

}  // namespace pleat::equivalence
