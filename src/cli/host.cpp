// SPDX-License-Identifier: Apache-2.0
#include "cli/host.h"

#include <time.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

namespace pleat::cli {
namespace {

/// The second number of /proc/self/statm is what is resident, in pages; 0 where there is no such file.
int64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t size = 0, resident = 0;
  return statm >> size >> resident ? resident * sysconf(_SC_PAGESIZE) : 0;
}

double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 && name[0] != '\0' ? name : "localhost";
}

}  // namespace

double clock_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int cores() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

train::Host host(std::FILE* words) {
  train::Host host;
  host.clock = clock_seconds;
  host.wall = wall_seconds;
  host.thread_clock = thread_seconds;
  host.resident_bytes = resident_bytes;
  host.say = [words](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), words);
    std::fflush(words);
  };
  host.terminal = isatty(fileno(words)) != 0;
  host.name = host_name();
  host.cores = cores();
  return host;
}

}  // namespace pleat::cli
