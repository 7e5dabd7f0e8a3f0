// SPDX-License-Identifier: Apache-2.0
// Replaces the global operator new by one that counts. In a file of its own, so that no caller sees that it
// is malloc.
#include "allocations.h"

#include <dlfcn.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

std::atomic<int64_t> ours = 0, matrix_library = 0;

void count(void* caller) {
  Dl_info info;
  const bool library = dladdr(caller, &info) != 0 && info.dli_fname != nullptr &&
                       std::strstr(info.dli_fname, "libdnnl") != nullptr;
  (library ? matrix_library : ours).fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

namespace pleat::run {
Allocations allocations_so_far() {
  return {ours.load(), matrix_library.load()};
}
}  // namespace pleat::run

// The other forms of new and delete call these.
void* operator new(size_t bytes) {
  count(__builtin_return_address(0));
  if (void* data = std::malloc(bytes == 0 ? 1 : bytes)) return data;
  throw std::bad_alloc();
}
void* operator new[](size_t bytes) {
  count(__builtin_return_address(0));
  if (void* data = std::malloc(bytes == 0 ? 1 : bytes)) return data;
  throw std::bad_alloc();
}
void operator delete(void* data) noexcept {
  std::free(data);
}
void operator delete(void* data, size_t) noexcept {
  std::free(data);
}
void operator delete[](void* data) noexcept {
  std::free(data);
}
void operator delete[](void* data, size_t) noexcept {
  std::free(data);
}
