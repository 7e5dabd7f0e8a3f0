// SPDX-License-Identifier: Apache-2.0
// From the catalogue's name of a kernel to the kernel. What is legal for an operation is checked once, here,
// for all implementations.
#include "kernels/cpu/cpu.h"
#include "kernels/kernel.h"
#include "kernels/ref/ref.h"

namespace pleat::kernels {

std::unique_ptr<Kernel> bind(std::string_view name, const graph::Signature& signature,
                             int64_t workspace_bytes, int team_size) {
  ref::check(signature);
  if (name == "ref") return ref::bind(signature);
  if (name.starts_with("cpu.")) return cpu::bind(name, signature, workspace_bytes, team_size);
  base::fail<base::CheckError>("{}: unknown kernel '{}': choose ref or a name of the catalogue, cpu.*",
                               name_of(signature.op), name);
}

}  // namespace pleat::kernels
