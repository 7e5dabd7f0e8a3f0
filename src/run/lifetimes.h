// SPDX-License-Identifier: Apache-2.0
// When the bytes of a rank's arena mean something, from effects(): a buffer lives from its first touch in a
// turn to its last. Transients live within one instance, framed buffers within one micro-batch, the others
// within the turn; the state section never dies.
#pragma once
#include <cstdint>
#include <vector>

#include "program/program.h"

namespace pleat::run {

/// Bytes [begin, end) of the arena.
struct Span {
  int64_t begin = 0, end = 0;
  int64_t bytes() const { return end - begin; }
  bool operator==(const Span&) const = default;
};

struct Life {
  Span span;  // of everything that is touched of it
  int touches =
      0;  // items that touch it in one turn; with the last of them it ends, in whatever order they run
};

/// What one instruction of one instance does to lives.
struct ItemLives {
  std::vector<int> touches;  // each life once
  std::vector<Span> writes;  // alive from here on
};

struct Lifetimes {
  std::vector<Life> lives;
  std::vector<ItemLives> items;  // in list order, all instances flattened
  std::vector<Span> immortal;    // state, and regions that name no buffer: nothing tells when they end
};

Lifetimes lifetimes_of(const program::Program& program, const program::RankList& list);

}  // namespace pleat::run
