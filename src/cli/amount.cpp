// SPDX-License-Identifier: Apache-2.0
#include "cli/amount.h"

#include <cctype>

#include "train/progress.h"

namespace pleat::cli {

std::string amount(double quantity, std::string_view unit) {
  std::string text = train::humanise_quantity(quantity);
  if (std::isalpha(static_cast<unsigned char>(text.back())) == 0) text += ' ';
  return text.append(unit);
}

}  // namespace pleat::cli
