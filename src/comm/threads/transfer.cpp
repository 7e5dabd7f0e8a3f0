// SPDX-License-Identifier: Apache-2.0
// Copies go from the other member's `in` to the caller's `out`. A reduction is summed in shares, one per
// member, so that each byte is summed once and every member ends with the same bits; all_reduce then copies
// the others' shares.
#include "comm/threads/transfer.h"

#include <algorithm>
#include <cstring>

#include "base/errors.h"
#include "comm/sum.h"

namespace pleat::comm {

using base::CommError;
using base::fail;

void Transfer::start(const Channel& channel, Meeting& meeting, int position) {
  channel_ = &channel;
  meeting_ = &meeting;
  position_ = position;
  peers_done_ = 0;
  offset_ = 0;
  sent_ = received_ = 0;
  checked_ = false;
  sources_.reserve(static_cast<size_t>(meeting.members()));
}

bool Transfer::done() const {
  if (mine().kind == Kind::send) return meeting_->reached(1, Phase::finished);
  if (mine().kind == Kind::receive) return meeting_->reached(1, Phase::finished);
  return meeting_->all_reached(Phase::finished);
}

Progress Transfer::advance(int64_t& budget) {
  const Operation& operation = mine();
  if (operation.kind == Kind::send) {
    if (meeting_->reached(1, Phase::posted)) check_peer(1);
    return {};
  }
  if (budget <= 0 || meeting_->reached(position_, Phase::finished)) return {};

  const int64_t budget_before = budget;
  Phase next = Phase::finished;
  bool complete = false;
  if (is_reduction(operation.kind) && !meeting_->reached(position_, Phase::reduced)) {
    complete = sum_share(budget);
    if (operation.kind == Kind::all_reduce) next = Phase::reduced;
  } else {
    complete = copy_from_peers(budget);
  }
  const bool last = complete && meeting_->enter(position_, next);
  return {.moved = complete || budget != budget_before,
          .tell = last || (complete && is_message(operation.kind))};
}

// --- copies ---

bool Transfer::peer_is_ready() const {
  return meeting_->reached(peer(), mine().kind == Kind::all_reduce ? Phase::reduced : Phase::posted);
}

bool Transfer::copy_from_peers(int64_t& budget) {
  const bool message = mine().kind == Kind::receive;
  // A receiver copies from the one other member only; an all_reduce has its own share already.
  if (peers_done_ == 0 && (message || mine().kind == Kind::all_reduce)) peers_done_ = 1;
  for (; peers_done_ < meeting_->members(); ++peers_done_) {
    if (budget <= 0 || !peer_is_ready()) return false;
    check_peer(peer());
    if (!copy_from_peer(budget)) return false;
    offset_ = 0;
    sent_ = received_ = 0;
  }
  return true;
}

bool Transfer::copy_from_peer(int64_t& budget) {
  const Operation& to = mine();
  const Operation& from = meeting_->operation(peer());
  const int64_t members = meeting_->members();
  const auto in_bytes = static_cast<int64_t>(from.in.size());
  switch (to.kind) {
    case Kind::receive:
      return copy_piece(to.out.data(), from.in.data(), in_bytes, budget);
    case Kind::all_gather:
      return copy_piece(to.out.data() + peer() * in_bytes, from.in.data(), in_bytes, budget);
    case Kind::all_to_all: {
      const int64_t part = in_bytes / members;
      return copy_piece(to.out.data() + peer() * part, from.in.data() + position_ * part, part, budget);
    }
    case Kind::all_reduce: {
      const Share share = share_of(peer());
      const int64_t size = base::size_of(to.dtype);
      const int64_t at = share.begin * size;
      return copy_piece(to.out.data() + at, from.in.data() + at, share.count * size, budget);
    }
    case Kind::exchange:
      return copy_rows(budget);
    case Kind::send:
    case Kind::reduce_scatter:
      break;
  }
  return true;
}

bool Transfer::copy_piece(std::byte* to, const std::byte* from, int64_t bytes, int64_t& budget) {
  const int64_t n = std::min(bytes - offset_, budget);
  // In place: an all_gather's `in` may be its own part of `out`.
  if (n > 0 && to != from) std::memcpy(to + offset_, from + offset_, static_cast<size_t>(n));
  offset_ += n;
  budget -= n;
  return offset_ == bytes;
}

namespace {

size_t next_block(std::span<const RowBlock> blocks, int member, size_t from) {
  while (from < blocks.size() && (blocks[from].member != member || blocks[from].rows == 0)) ++from;
  return from;
}

int64_t rows_with(std::span<const RowBlock> blocks, int member) {
  int64_t rows = 0;
  for (const RowBlock& block : blocks)
    if (block.member == member) rows += block.rows;
  return rows;
}

}  // namespace

bool Transfer::copy_rows(int64_t& budget) {
  const Operation& to = mine();
  const Operation& from = meeting_->operation(peer());
  while (true) {
    sent_ = next_block(from.sends, position_, sent_);
    received_ = next_block(to.receives, peer(), received_);
    const bool none_sent = sent_ == from.sends.size();
    const bool none_received = received_ == to.receives.size();
    if (none_sent && none_received) return true;
    if (none_sent || none_received || from.sends[sent_].rows != to.receives[received_].rows)
      fail_rows(peer());
    const int64_t bytes = from.sends[sent_].rows * to.row_bytes;
    std::byte* out = to.out.data() + to.receives[received_].row * to.row_bytes;
    if (!copy_piece(out, from.in.data() + from.sends[sent_].row * to.row_bytes, bytes, budget)) return false;
    offset_ = 0;
    ++sent_;
    ++received_;
  }
}

// --- sums ---

Transfer::Share Transfer::share_of(int member) const {
  const int64_t size = base::size_of(mine().dtype);
  if (mine().kind == Kind::reduce_scatter) {
    const int64_t count = static_cast<int64_t>(mine().out.size()) / size;
    return {.begin = member * count, .count = count};
  }
  // Whole cache lines, so that neighbours do not write to one line.
  const int64_t elements = static_cast<int64_t>(mine().in.size()) / size;
  const int64_t line = 64 / size;
  const int64_t even = (elements + meeting_->members() - 1) / meeting_->members();
  const int64_t stride = (even + line - 1) / line * line;
  const int64_t begin = std::min(elements, member * stride);
  return {.begin = begin, .count = std::min(stride, elements - begin)};
}

bool Transfer::sum_share(int64_t& budget) {
  const int members = meeting_->members();
  if (!meeting_->all_reached(Phase::posted)) return false;
  if (!checked_) {
    for (int member = 0; member < members; ++member) check_peer(member);
    checked_ = true;
  }
  const Operation& operation = mine();
  if (operation.kind == Kind::all_reduce && members == 1) return true;
  sources_.clear();
  for (int member = 0; member < members; ++member) sources_.push_back(meeting_->operation(member).in.data());

  const int64_t size = base::size_of(operation.dtype);
  const Share share = share_of(position_);
  const int64_t piece = std::max<int64_t>(budget / (members * size), 1024);
  const int64_t count = std::min(share.count - offset_, piece);
  const int64_t out_offset = (operation.kind == Kind::all_reduce ? share.begin : 0) + offset_;
  if (count > 0)
    sum_parts(operation.dtype, sources_, share.begin + offset_, count,
              operation.out.data() + out_offset * size);
  offset_ += count;
  budget -= count * members * size;
  if (offset_ < share.count) return false;
  offset_ = 0;
  return true;
}

// --- disagreements ---

void Transfer::check_peer(int member) const {
  if (member == position_) return;
  const Operation& theirs = meeting_->operation(member);
  if (!matches(mine(), theirs))
    fail<CommError>("{}, operation {}: rank {} posted {}, rank {} posted {}", to_string(*channel_),
                    meeting_->number(), channel_->members[position_].value, to_string(mine()),
                    channel_->members[member].value, to_string(theirs));
}

void Transfer::fail_rows(int source) const {
  const auto sends = meeting_->operation(source).sends;
  const auto receives = mine().receives;
  const int64_t sent = sent_ < sends.size() ? sends[sent_].rows : 0;
  const int64_t received = received_ < receives.size() ? receives[received_].rows : 0;
  fail<CommError>(
      "{}, operation {}: exchange: rank {} sends {} rows to rank {}, which receives {}; where they first "
      "differ "
      "a block of {} rows is sent and one of {} expected",
      to_string(*channel_), meeting_->number(), channel_->members[source].value, rows_with(sends, position_),
      channel_->members[position_].value, rows_with(receives, source), sent, received);
}

}  // namespace pleat::comm
