// SPDX-License-Identifier: Apache-2.0
// What a sanitizer must be told about a rank's memory: it knows no Program, and generated code is invisible
// to it. One of for_none/, for_address/ and for_thread/ is built (CMakeLists.txt, PLEAT_SANITIZE); without a
// sanitizer all is empty.
#pragma once
#include <cstddef>
#include <memory>
#include <span>

#include "run/bound.h"

namespace pleat::run {

class Watch {
 public:
  /// All references outlive the watch.
  Watch(const program::Program& program, base::Rank rank, const BoundList& bound, const tensor::Arena& arena);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// Before an item is started, and when it is complete.
  void before(const Item& item);
  void after(const Item& item);
  /// The caller itself reads or writes these bytes.
  void reveal(std::span<std::byte> bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pleat::run
