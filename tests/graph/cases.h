// SPDX-License-Identifier: Apache-2.0
// The operations as the tests of this folder try them: for each one an application whose operands make sense
// together. The same table serves the placements (sizes that four ranks divide) and the gradients (odd sizes,
// padding between expert rows, an expert without rows).
#pragma once
#include <ostream>
#include <string>
#include <vector>

#include "graph/differentiate.h"
#include "ranks.h"

namespace pleat::graph::testing {

/// The letters of docs/operations.md; P sources of counts.
struct Sizes {
  int64_t T, S, D, H, G, N, E, K, V, F, P;
  int64_t groups;  // of tokens, in the sums of the router
  int64_t tile;    // expert segments start at its multiples
  bool uneven;     // expert 1 has no row, expert 2 twice its share
  int64_t spare;   // rows of the buffer after the last segment
  /// Pairs are shuffled within blocks of this many, so that ranks find theirs in their own rows.
  int64_t block;

  /// Rows of an expert from each source.
  int64_t count(int64_t expert) const {
    return uneven && (expert == 1 || expert == 2) ? 2 * (expert - 1) : 1;
  }
  /// Where the rows of the experts stand in the buffer, in order of expert: T K of them.
  std::vector<int64_t> expert_rows() const;
  /// R, the rows of the buffer.
  int64_t buffer_rows() const;
};

/// Divisible by four, all rows full: R = T K = P E.
inline constexpr Sizes kDivisible{.T = 8,
                                  .S = 2,
                                  .D = 8,
                                  .H = 8,
                                  .G = 4,
                                  .N = 4,
                                  .E = 4,
                                  .K = 2,
                                  .V = 8,
                                  .F = 4,
                                  .P = 4,
                                  .groups = 4,
                                  .tile = 1,
                                  .uneven = false,
                                  .spare = 0,
                                  .block = 4};
/// Odd, but for N: the rotation pairs its elements.
inline constexpr Sizes kOdd{.T = 9,
                            .S = 3,
                            .D = 5,
                            .H = 9,
                            .G = 3,
                            .N = 6,
                            .E = 9,
                            .K = 3,
                            .V = 7,
                            .F = 3,
                            .P = 3,
                            .groups = 3,
                            .tile = 4,
                            .uneven = true,
                            .spare = 1,
                            .block = 27};

enum class Fill {
  normal,    // differentiable wherever the operation is
  constant,  // numbers that carry no gradient by definition: rope's table, counts in the exact dtype
  token,
  position,
  document,
  pick,
  row,
  count,
  weight,
  zero,
};

struct Operand {
  Fill fill;
  base::Shape shape;
  base::DType dtype() const;
};

struct Case {
  std::string name;
  Op op;
  Attributes attributes;
  std::vector<Operand> operands;
  std::vector<int> differentiable;  // results with a cotangent
};

/// Names a case when its test fails.
void PrintTo(const Case& c, std::ostream* stream);

/// Every operation that has facts.
std::vector<Case> cases(const Sizes& sizes);

/// The same numbers for the same seed.
Tensor make(const Operand& operand, const Sizes& sizes, uint32_t seed);

/// What differentiate is asked for: a cotangent "dy<i>" of each result "y<i>" that has one, those of the
/// operands "x<i>".
std::vector<Seed> seeds(const Case& c);
std::vector<std::string> wanted(const Case& c);

/// The case as a graph over dp: inputs "x<i>" with these placements, outputs "y<i>".
Graph forward_graph(const Case& c, const std::vector<layout::Placement>& placements, int64_t ranks);

}  // namespace pleat::graph::testing
