// SPDX-License-Identifier: Apache-2.0
// What is known of the bytes of one area: disjoint pieces, each with a Fact. Pieces whose extents interleave
// (columns) are kept in one block; blocks are disjoint and ordered.
#pragma once
#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "verify/rows.h"

namespace pleat::verify {

template <class Fact>
class Shadow {
 public:
  /// Calls visit(Fact&) once for every piece within `rows`, cut where they end. Returns the bytes of `rows`
  /// that have a fact.
  template <class Visit>
  int64_t visit(const Rows& rows, Visit&& visit) {
    int64_t known = 0;
    if (rows.empty()) return known;
    for (auto block = first_touching(rows); block != blocks_.end() && block->first < rows.end(); ++block) {
      std::vector<Piece>& pieces = block->second.pieces;
      for (size_t i = 0, n = pieces.size(); i < n; ++i) known += visit_piece(pieces, i, rows, visit);
    }
    return known;
  }

  /// From now on this, and nothing else, is known of `rows`.
  void assign(const Rows& rows, Fact fact) {
    if (rows.empty()) return;
    auto block = first_touching(rows);
    if (block != blocks_.end() && block->second.pieces.size() == 1 && block->second.pieces[0].rows == rows) {
      block->second.pieces[0].fact = std::move(fact);
      return;
    }
    std::vector<Piece> pieces{{rows, std::move(fact)}};
    while (block != blocks_.end() && block->first < rows.end()) {
      for (Piece& piece : block->second.pieces) {
        inside_.clear(), outside_.clear();
        cut(piece.rows, rows, inside_, outside_);
        for (const Rows& rest : outside_) pieces.push_back({rest, piece.fact});
      }
      block = blocks_.erase(block);
    }
    insert(std::move(pieces));
  }

  /// The parts of `rows` of which nothing is known.
  std::vector<Rows> unknown(const Rows& rows) {
    std::vector<Rows> rest{rows}, next;
    for (auto block = first_touching(rows); block != blocks_.end() && block->first < rows.end(); ++block)
      for (const Piece& piece : block->second.pieces) {
        inside_.clear(), next.clear();
        for (const Rows& part : rest) cut(part, piece.rows, inside_, next);
        rest.swap(next);
      }
    return rest;
  }

 private:
  struct Piece {
    Rows rows;
    Fact fact;
  };
  struct Block {
    int64_t end = 0;
    std::vector<Piece> pieces;
  };

  auto first_touching(const Rows& rows) {
    auto block = blocks_.upper_bound(rows.begin);
    if (block != blocks_.begin() && std::prev(block)->second.end > rows.begin) --block;
    return block;
  }

  /// The parts that are cut off stand behind the others, where the caller does not meet them again.
  template <class Visit>
  int64_t visit_piece(std::vector<Piece>& pieces, size_t i, const Rows& rows, Visit& visit) {
    if (pieces[i].rows == rows) return visit(pieces[i].fact), rows.bytes();
    inside_.clear(), outside_.clear();
    cut(pieces[i].rows, rows, inside_, outside_);
    if (inside_.empty()) return 0;
    for (const Rows& rest : outside_) pieces.push_back({rest, pieces[i].fact});
    visit(pieces[i].fact);
    pieces[i].rows = inside_[0];
    int64_t bytes = inside_[0].bytes();
    for (size_t part = 1; part < inside_.size(); ++part) {
      bytes += inside_[part].bytes();
      pieces.push_back({inside_[part], pieces[i].fact});
    }
    return bytes;
  }

  void insert(std::vector<Piece> pieces) {
    std::sort(pieces.begin(), pieces.end(),
              [](const Piece& a, const Piece& b) { return a.rows.begin < b.rows.begin; });
    for (size_t i = 0; i < pieces.size();) {
      const int64_t begin = pieces[i].rows.begin;
      Block block{pieces[i].rows.end(), {}};
      for (; i < pieces.size() && pieces[i].rows.begin < block.end; ++i) {
        block.end = std::max(block.end, pieces[i].rows.end());
        block.pieces.push_back(std::move(pieces[i]));
      }
      blocks_.emplace(begin, std::move(block));
    }
  }

  std::map<int64_t, Block> blocks_;
  std::vector<Rows> inside_, outside_;
};

}  // namespace pleat::verify
