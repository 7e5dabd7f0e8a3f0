// SPDX-License-Identifier: Apache-2.0
// What a run of a benchmark was measured on: its first lines.
#pragma once
#include <fmt/format.h>
#include <hwy/targets.h>

#include <ctime>
#include <fstream>
#include <string>
#include <thread>

namespace pleat::bench {

inline std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "unknown processor";
}

/// The widest that the row kernels use, and what products may use besides.
inline std::string instruction_sets() {
  std::string names = (hwy::SupportedTargets() & HWY_AVX3) != 0 ? "AVX-512" : "AVX2";
  if (__builtin_cpu_supports("avx512bf16")) names += ", AVX-512 bf16";
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.rfind("flags", 0) == 0) return names + (line.find("amx_bf16") != line.npos ? ", AMX bf16" : "");
  return names;
}

inline void print_machine() {
  const std::time_t now = std::time(nullptr);
  char date[32] = {};
  std::strftime(date, sizeof date, "%Y-%m-%d", std::gmtime(&now));
  fmt::print("{}; {}; {} cores; {}\n", processor_name(), instruction_sets(),
             std::thread::hardware_concurrency(), date);
}

}  // namespace pleat::bench
