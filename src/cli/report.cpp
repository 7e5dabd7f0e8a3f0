// SPDX-License-Identifier: Apache-2.0
// pleat report
#include <memory>

#include "base/errors.h"
#include "cli/commands.h"
#include "train/run_report.h"

namespace pleat::cli {

void add_report(Command& root) {
  Command command = root.command("report", "Writes report.html of a run anew, from the files beside it");
  const auto directory = std::make_shared<std::string>();
  command.argument("RUN_DIRECTORY", *directory, "what pleat train wrote");
  command.notes(
      "pleat train writes the report when it ends; this shows a run that still goes on, or adds what was\n"
      "found out since. Of these files all but the first may be missing, and the last four are only used "
      "when\n"
      "they are newer than final/:\n"
      "  metrics.jsonl      the steps\n"
      "  profile.json       timeline, memory and facts; pleat train writes it when it ends\n"
      "  held_out.json      the loss on held-back text: pleat train writes it with data.held_out,\n"
      "                     pleat evaluate --out without\n"
      "  bits_per_byte.tsv  NAME<tab>BITS a line, the model's own first; lines after # are a note\n"
      "  sample.txt         what pleat generate printed, and prompt.txt how it begins\n\n"
      "Examples:\n"
      "  pleat report runs/demo");
  command.runs([directory] {
    train::write_run_report(*directory);
    fmt::print("{}\n", (std::filesystem::path(*directory) / "report.html").string());
    return 0;
  });
}

}  // namespace pleat::cli
