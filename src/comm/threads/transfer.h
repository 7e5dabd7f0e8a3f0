// SPDX-License-Identifier: Apache-2.0
// One member's work in one meeting, in pieces: what to copy or sum next, from whom, and whether they are
// ready. Not here: sleeping, waking and failing (world.cpp).
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "comm/threads/meeting.h"

namespace pleat::comm {

struct Progress {
  bool moved = false;  // some work was done
  bool tell = false;   // others may be waiting for what was done
};

class Transfer {
 public:
  void start(const Channel& channel, Meeting& meeting, int position);
  void stop() { meeting_ = nullptr; }
  bool active() const { return meeting_ != nullptr; }
  Meeting& meeting() const { return *meeting_; }

  /// Does what can be done now, up to about `budget` bytes, and takes them off it. CommError when members
  /// disagree.
  Progress advance(int64_t& budget);
  /// The caller's part is over and nobody reads its buffers.
  bool done() const;

 private:
  /// Whole elements that one member sums.
  struct Share {
    int64_t begin = 0;
    int64_t count = 0;
  };
  Share share_of(int member) const;
  int peer() const { return (position_ + peers_done_) % meeting_->members(); }
  const Operation& mine() const { return meeting_->operation(position_); }

  bool copy_from_peers(int64_t& budget);
  bool copy_from_peer(int64_t& budget);
  bool copy_rows(int64_t& budget);
  bool copy_piece(std::byte* to, const std::byte* from, int64_t bytes, int64_t& budget);
  bool sum_share(int64_t& budget);
  bool peer_is_ready() const;
  void check_peer(int member) const;
  [[noreturn]] void fail_rows(int source) const;

  const Channel* channel_ = nullptr;
  Meeting* meeting_ = nullptr;
  int position_ = 0;
  int peers_done_ =
      0;  // in order of position from the caller's own on, so that not all read one member at once
  int64_t offset_ = 0;   // of the current peer or share: bytes copied or elements summed
  size_t sent_ = 0;      // of the current peer: its block and
  size_t received_ = 0;  // the caller's block that comes next
  bool checked_ = false;
  std::vector<const std::byte*> sources_;
};

}  // namespace pleat::comm
