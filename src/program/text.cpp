// SPDX-License-Identifier: Apache-2.0
#include "base/errors.h"
#include "program/program.h"

namespace pleat::program {

std::string to_text(const Instruction& instruction) {
  std::string text = fmt::format("{} {}", name_of(instruction.queue), graph::name_of(instruction.op));
  const auto region = [](const Region& r) {
    return fmt::format(" {}+{} {} {}", name_of(r.area), r.offset, base::name_of(r.type.dtype), base::to_string(r.type.shape));
  };
  for (const Region& read : instruction.reads) text += region(read);
  text += " ->";
  for (const Result& result : instruction.results) text += region(result.region);
  if (!instruction.label.empty()) text += fmt::format(" \"{}\"", instruction.label);
  return text;
}

}  // namespace pleat::program
