// SPDX-License-Identifier: Apache-2.0
#include "run/place.h"

#include "base/errors.h"

namespace pleat::run {

std::string place_of(const program::Program& program, base::Rank rank, const program::Instance& instance,
                     int instruction) {
  const program::Segment& segment = program.segments[instance.segment];
  return fmt::format("rank {}, {}, micro-batch {}, instruction {}: {}", rank.value, segment.name,
                     instance.micro_batch, instruction, program::to_text(segment.instructions[instruction]));
}

void rethrow_at(const std::string& place, const std::exception& error) {
  const std::string text = fmt::format("{}\n  at {}", error.what(), place);
  if (dynamic_cast<const base::CommError*>(&error) != nullptr) throw base::CommError(text);
  if (dynamic_cast<const base::DataError*>(&error) != nullptr) throw base::DataError(text);
  if (dynamic_cast<const base::JobError*>(&error) != nullptr) throw base::JobError(text);
  throw base::CheckError(text);
}

}  // namespace pleat::run
