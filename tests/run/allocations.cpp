// SPDX-License-Identifier: Apache-2.0
// Replaces the global operator new by one that counts. In a file of its own, so that no caller sees that it
// is malloc.
#include "allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {
std::atomic<int64_t> allocations = 0;
}  // namespace

namespace pleat::run {
int64_t allocations_so_far() {
  return allocations.load();
}
}  // namespace pleat::run

// The other forms of new and delete call these.
void* operator new(size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* data = std::malloc(bytes == 0 ? 1 : bytes)) return data;
  throw std::bad_alloc();
}
void operator delete(void* data) noexcept {
  std::free(data);
}
void operator delete(void* data, size_t) noexcept {
  std::free(data);
}
