// SPDX-License-Identifier: Apache-2.0
#include "layout/placement.h"

#include "base/errors.h"

namespace pleat::layout {

std::string to_string(Placement placement) {
  switch (placement.kind) {
    case Placement::Kind::replicated:
      return "replicated";
    case Placement::Kind::shared:
      return "shared";
    case Placement::Kind::partial:
      return "partial";
    case Placement::Kind::sharded:
      return "sharded" + std::to_string(placement.dim);
  }
  return {};
}

Placement placement_named(std::string_view text) {
  if (text == "replicated") return Placement::replicated();
  if (text == "shared") return Placement::shared();
  if (text == "partial") return Placement::partial();
  if (text.size() == 8 && text.starts_with("sharded") && text[7] >= '0' && text[7] <= '3')
    return Placement::sharded(text[7] - '0');
  base::fail<base::JobError>("unknown placement '{}': choose replicated, shared, partial or sharded<dim>",
                             text);
}

}  // namespace pleat::layout
