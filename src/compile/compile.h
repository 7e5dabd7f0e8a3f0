// SPDX-License-Identifier: Apache-2.0
// From a model, a layout and a target to a Program, through named passes. Each pass is a pure function from
// draft to draft; any one can be printed after (`pleat print --after PASS`).
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/job.h"
#include "layout/layout.h"
#include "model/chunk.h"
#include "program/program.h"
#include "target/catalogue.h"

namespace pleat::compile {

enum class Purpose : uint8_t {
  train,      // forward, backward, reductions, optimizer
  gradients,  // forward, backward, reductions: gradients go out
  forward,    // forward and loss
  generate,   // forward without a loss
};

struct Request {
  std::string name = "train";
  Purpose purpose = Purpose::train;
  config::ModelConfig model;
  layout::Layout layout;
  base::DType activation = base::DType::f32;
  base::DType exact = base::DType::f32;
  int64_t micro_batch = 1;  // samples per rank and micro-batch
  int64_t sequence = 1;
  int64_t micro_batches = 1;  // per rank and step
  model::AuxiliaryScope scope = model::AuxiliaryScope::micro_batch;
  config::Schedule schedule = config::Schedule::one_f_one_b;
  config::OptimizerSettings optimizer;
  target::Catalogue catalogue;
  int threads = 1;                // workers per rank
  std::vector<std::string> emit;  // graph outputs that go out: "logits", "loss", ...
  bool emit_gradients = false;    // when training too: each reduced gradient as port "gradient.<parameter>"
  std::optional<base::Stage> only_stage;  // compile one stage of a large layout
  /// Where the job says "layout.tp" ("job.yaml:14"), for errors; may be empty.
  std::function<std::string(std::string_view key)> where{};
};

/// Throws JobError for what the layout and the model cannot be together.
program::Program compile(const Request& request);

/// The names of the passes, in order.
std::vector<std::string_view> pass_names();
/// What the draft looks like after a pass; JobError with the names for an unknown one.
std::string print_after(const Request& request, std::string_view pass);
/// Seconds by pass of one compilation, by a clock that the caller has (the pure half has none).
struct PassTime {
  std::string_view pass;
  double seconds = 0;
};
program::Program compile_timed(const Request& request, const std::function<double()>& clock,
                               std::vector<PassTime>& times);

}  // namespace pleat::compile
