// SPDX-License-Identifier: Apache-2.0
// ThreadSanitizer: what vector instructions and generated code touch is invisible to it in part, so the first
// and the last byte of every region that effects() names are touched here, on the rank's thread. A peer that
// copies from a region at the wrong time copies these bytes too, and is reported.
#include "run/watch.h"

#include <vector>

namespace pleat::run {
namespace {

struct Touched {
  volatile std::byte* first;
  volatile std::byte* last;
};

void read(const Touched& bytes) {
  static_cast<void>(*bytes.first);
  static_cast<void>(*bytes.last);
}

void write_back(const Touched& bytes) {
  *bytes.first = *bytes.first;
  *bytes.last = *bytes.last;
}

}  // namespace

struct Watch::State {
  struct Bytes {
    std::vector<Touched> reads, writes;
  };
  const BoundList& bound;
  std::vector<Bytes> items;  // of the list
  const Bytes& of(const Item& item) const { return items[&item - bound.items.data()]; }
};

Watch::Watch(const program::Program&, base::Rank, const BoundList& bound, const tensor::Arena&)
    : state_(std::make_unique<State>(bound)) {
  for (const Item& item : bound.items) {
    // effects() names the regions in this order: reads, results, workspace.
    std::vector<std::byte*> pointers(item.reads.begin(), item.reads.end());
    pointers.insert(pointers.end(), item.writes.begin(), item.writes.end());
    if (item.workspace != nullptr) pointers.push_back(item.workspace);
    State::Bytes& bytes = state_->items.emplace_back();
    const std::vector<program::Effect> effects = program::effects(*item.instruction);
    for (size_t i = 0; i < effects.size(); ++i) {
      const int64_t count = effects[i].region.type.bytes();
      if (count == 0) continue;
      const bool reads = effects[i].kind == program::Effect::Kind::read;
      (reads ? bytes.reads : bytes.writes).push_back({pointers[i], pointers[i] + count - 1});
    }
  }
}

Watch::~Watch() = default;

/// What is written is touched before as well: from here on nobody else may read it.
void Watch::before(const Item& item) {
  for (const Touched& bytes : state_->of(item).reads) read(bytes);
  for (const Touched& bytes : state_->of(item).writes) write_back(bytes);
}

void Watch::after(const Item& item) {
  for (const Touched& bytes : state_->of(item).writes) write_back(bytes);
}

void Watch::reveal(std::span<std::byte>) {}

}  // namespace pleat::run
