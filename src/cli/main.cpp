// SPDX-License-Identifier: Apache-2.0
// The executable; everything else is in the library, where tests reach it.
#include "cli/pleat.h"

int main(int count, char** words) {
  return pleat::cli::pleat(count, words);
}
