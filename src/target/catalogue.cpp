// SPDX-License-Identifier: Apache-2.0
#include "target/catalogue.h"

#include "base/errors.h"

namespace pleat::target {

std::vector<Refusal> explain(const Catalogue& catalogue, const graph::Signature& signature) {
  std::vector<Refusal> tried;
  for (const Row& row : catalogue) {
    tried.push_back({row.kernel, row.refusal(signature)});
    if (tried.back().reason.empty()) break;
  }
  return tried;
}

Choice choose(const Catalogue& catalogue, const graph::Signature& signature, int threads) {
  for (const Row& row : catalogue)
    if (row.refusal(signature).empty()) return {row.kernel, row.workspace(signature, threads)};
  std::string reasons;
  for (const Refusal& refusal : explain(catalogue, signature))
    reasons += fmt::format("\n  {}: {}", refusal.kernel, refusal.reason);
  base::fail<base::CheckError>("no kernel serves {}:{}", graph::name_of(signature.op), reasons);
}

}  // namespace pleat::target
