// SPDX-License-Identifier: Apache-2.0
#include "kernels/catalogue.h"

#include "kernels/cpu/cpu.h"

namespace pleat::kernels {
namespace {

target::Row cpu_row(const std::string& name) {
  return {name,
          [name](const graph::Signature& signature) {
            std::string reason;
            return cpu::serves(name, signature, &reason) ? std::string() : reason;
          },
          [](const graph::Signature& signature, int threads) {
            return cpu::workspace_bytes(signature, threads);
          }};
}

target::Row reference_row() {
  return {"ref", [](const graph::Signature&) { return std::string(); },
          [](const graph::Signature&, int) { return int64_t{0}; }};
}

}  // namespace

target::Catalogue catalogue() {
  return {cpu_row("cpu.panels"), cpu_row("cpu.simd"), reference_row()};
}

target::Catalogue reference_catalogue() {
  return {reference_row()};
}

}  // namespace pleat::kernels
