// SPDX-License-Identifier: Apache-2.0
// The hardware as a value, and which kernel serves an instruction there: per operation an ordered table,
// fastest first, the reference last. Every refusal has a reason. The functions themselves are in kernels/,
// bound by name.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/signature.h"

namespace pleat::target {

/// A machine, as simulate needs it: what it reaches, not how. Which vector instructions a kernel wants is in
/// its row's refusals. Rates are peaks of one core; simulate scales them.
struct Target {
  std::string name = "this cpu";
  int cores = 1;
  double flops_f32 = 50e9;  // per core
  double flops_bf16 = 50e9;
  double memory_bandwidth = 15e9;  // bytes/s, all cores
  double core_bandwidth = 12e9;    // bytes/s, one core
  double call_seconds = 2e-6;      // fixed cost of an instruction
  double message_seconds = 10e-6;  // fixed cost of a message between ranks
};

struct Choice {
  std::string kernel;
  int64_t workspace = 0;  // bytes
};

/// One kernel of the catalogue. kernels/catalogue.cpp states the rows beside the code they speak of.
struct Row {
  std::string kernel;
  /// Empty when the kernel serves the signature, else the reason why not.
  std::function<std::string(const graph::Signature&)> refusal;
  /// Bytes of workspace it declares.
  std::function<int64_t(const graph::Signature&, int threads)> workspace;
};
using Catalogue = std::vector<Row>;

struct Refusal {
  std::string kernel;
  std::string reason;  // empty: taken
};

/// The first row that serves the signature; CheckError with all reasons when none does.
Choice choose(const Catalogue& catalogue, const graph::Signature& signature, int threads);
/// Every row tried, in order, with the reason of each refusal: what `pleat explain` prints.
std::vector<Refusal> explain(const Catalogue& catalogue, const graph::Signature& signature);

}  // namespace pleat::target
