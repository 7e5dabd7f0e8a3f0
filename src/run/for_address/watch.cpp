// SPDX-License-Identifier: Apache-2.0
// AddressSanitizer: bytes outside their lifetime are poisoned. A buffer wakes as instructions write it and
// dies with the last one that touches it, so a kernel that reads what is not there yet, or no more, is
// reported where it stands.
#include "run/watch.h"

#include <sanitizer/asan_interface.h>

#include "run/lifetimes.h"

namespace pleat::run {

struct Watch::State {
  const BoundList& bound;
  const tensor::Arena& arena;
  Lifetimes lifetimes;
  std::vector<int> left;  // by life: touches until its end

  void poison(const Span& span) { ASAN_POISON_MEMORY_REGION(arena.data() + span.begin, span.bytes()); }
  void unpoison(const Span& span) { ASAN_UNPOISON_MEMORY_REGION(arena.data() + span.begin, span.bytes()); }
  const ItemLives& lives_of(const Item& item) const { return lifetimes.items[&item - bound.items.data()]; }
};

Watch::Watch(const program::Program& program, base::Rank rank, const BoundList& bound,
             const tensor::Arena& arena)
    : state_(std::make_unique<State>(bound, arena, lifetimes_of(program, program.list_of(rank)))) {
  for (const Life& life : state_->lifetimes.lives) state_->left.push_back(life.touches);
  state_->poison({0, arena.size() + tensor::Arena::kGuard});
  for (const Span& span : state_->lifetimes.immortal) state_->unpoison(span);
}

Watch::~Watch() {
  state_->unpoison(
      {0, state_->arena.size() + tensor::Arena::kGuard});  // the addresses will be somebody else's
}

void Watch::before(const Item& item) {
  for (const Span& span : state_->lives_of(item).writes) state_->unpoison(span);
}

void Watch::after(const Item& item) {
  for (int life : state_->lives_of(item).touches) {
    if (--state_->left[life] > 0) continue;
    state_->left[life] = state_->lifetimes.lives[life].touches;
    state_->poison(state_->lifetimes.lives[life].span);
  }
}

void Watch::reveal(std::span<std::byte> bytes) {
  ASAN_UNPOISON_MEMORY_REGION(bytes.data(), bytes.size());
}

}  // namespace pleat::run
