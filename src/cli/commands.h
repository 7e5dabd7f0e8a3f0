// SPDX-License-Identifier: Apache-2.0
// All commands, in the order in which help lists them; each in the file of its name.
#pragma once
#include "cli/command.h"

namespace pleat::cli {

void add_train(Command& root);
void add_verify(Command& root);
void add_simulate(Command& root);
void add_print(Command& root);
void add_explain(Command& root);
void add_generate(Command& root);
void add_evaluate(Command& root);
void add_report(Command& root);
void add_forward(Command& root);
void add_data(Command& root);
void add_bench(Command& root);

}  // namespace pleat::cli
