// SPDX-License-Identifier: Apache-2.0
// report.html from the files of a run directory, and from nothing else: it can be made while the run goes on,
// after it, and again when a file was added.
//   metrics.jsonl       the steps
//   profile.json        the job, the step's timeline, memory: what the run knew of itself
//   held_out.json       what final/ loses on held-back text: from the run's end, or `pleat evaluate --out`
//   bits_per_byte.tsv   a name and bits per line, separated by a tab; the first is the model's own; lines
//   that
//                       begin with # are a note
//   sample.txt          what the model wrote; prompt.txt is how it begins
// All but the first may be missing. The last four speak of final/: those that are older are left out.
#pragma once
#include <filesystem>

#include "train/evaluate.h"
#include "train/report.h"

namespace pleat::train {

/// DataError when there is no metrics.jsonl or a file is damaged.
ReportInput read_run(const std::filesystem::path& directory);

void write_run_report(const std::filesystem::path& directory);

/// held_out.json
std::string evaluation_text(const Evaluation& evaluation);
Evaluation parse_evaluation(std::string_view text, std::string_view where);

}  // namespace pleat::train
