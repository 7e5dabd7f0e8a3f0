// SPDX-License-Identifier: Apache-2.0
// Which expert rows go where: from each source's own expert order to the owner's, rows of one expert in order
// of source (docs/operations.md, exchange).
#include "run/bound.h"

namespace pleat::run {
namespace {

int64_t round_up(int64_t rows, int64_t tile) {
  return (rows + tile - 1) / tile * tile;
}

/// Rows of every expert in the caller's own buffer, in order of experts: to or from their owners.
void own_blocks(const ExchangePlan& plan, const int32_t* counts, std::vector<comm::RowBlock>& blocks) {
  const int64_t each = plan.experts / plan.members;
  const int32_t* mine = counts + plan.position * plan.experts;
  int64_t row = 0;
  for (int64_t e = 0; e < plan.experts; ++e) {
    if (mine[e] > 0) blocks.push_back({static_cast<int>(e / each), row, mine[e]});
    row += round_up(mine[e], plan.tile);
  }
}

/// Rows of the caller's experts, from or to every source.
void expert_blocks(const ExchangePlan& plan, const int32_t* counts, std::vector<comm::RowBlock>& blocks) {
  const int64_t each = plan.experts / plan.members, first = plan.position * each;
  int64_t start = 0;
  for (int64_t e = first; e < first + each; ++e) {
    int64_t row = start;
    for (int source = 0; source < plan.members; ++source) {
      const int64_t rows = counts[source * plan.experts + e];
      if (rows > 0) blocks.push_back({source, row, rows});
      row += rows;
    }
    start += round_up(row - start, plan.tile);
  }
}

}  // namespace

ExchangePlan exchange_plan(const program::Program& program, base::Rank rank,
                           const program::Instruction& instruction) {
  const auto& type = instruction.reads[0].type;
  return {static_cast<int>(program.layout.position_in_group(rank, instruction.party->axes)),
          static_cast<int>(program.layout.size(instruction.party->axes)),
          instruction.attributes.integer("experts"),
          instruction.attributes.integer("tile"),
          instruction.attributes.integer("inverse") != 0,
          type.shape.row_elements() * base::size_of(type.dtype)};
}

void exchange_blocks(const ExchangePlan& plan, const int32_t* counts, std::vector<comm::RowBlock>& sends,
                     std::vector<comm::RowBlock>& receives) {
  sends.clear();
  receives.clear();
  own_blocks(plan, counts, plan.inverse ? receives : sends);
  expert_blocks(plan, counts, plan.inverse ? sends : receives);
}

}  // namespace pleat::run
