// SPDX-License-Identifier: Apache-2.0
// The road from a request to a Program on one screen.
#include "compile/compile.h"

#include <array>

#include "base/errors.h"
#include "compile/draft.h"

namespace pleat::compile {
namespace {

constexpr std::array kPasses{
    Pass{"differentiate", differentiate},
    Pass{"split", split},
    Pass{"segments", segments},
    Pass{"schedule", schedule},
    Pass{"transfers", transfers},
    Pass{"reductions", reductions},
    Pass{"optimizer", optimizer},
    Pass{"guard", guard},
    Pass{"outputs", outputs},
    Pass{"kernels", kernels},
    Pass{"frames", frames},
    Pass{"queues", queues},
};

Draft start(const Request& request) {
  Draft draft{request, {}, {}};
  for (int64_t s = 0; s < request.layout.stages(); ++s) {
    const base::Stage stage(s);
    if (request.only_stage && *request.only_stage != stage) continue;
    const model::ChunkRequest chunk{request.model,      request.layout, base::Chunk(s),
                                    request.activation, request.exact,  request.micro_batch,
                                    request.sequence,   request.scope,  request.purpose != Purpose::generate,
                                    request.where};
    StageDraft piece;
    piece.stage = stage;
    piece.graph = model::build_chunk(chunk);
    draft.stages.push_back(std::move(piece));
  }
  return draft;
}

}  // namespace

program::Program compile(const Request& request) {
  Draft draft = start(request);
  for (const Pass& pass : kPasses) draft = pass.run(std::move(draft));
  return std::move(draft.program);
}

program::Program compile_timed(const Request& request, const std::function<double()>& clock,
                               std::vector<PassTime>& times) {
  double before = clock();
  const auto mark = [&](std::string_view name) {
    const double now = clock();
    times.push_back({name, now - before});
    before = now;
  };
  Draft draft = start(request);
  mark("model");
  for (const Pass& pass : kPasses) {
    draft = pass.run(std::move(draft));
    mark(pass.name);
  }
  return std::move(draft.program);
}

std::vector<std::string_view> pass_names() {
  std::vector<std::string_view> names{"model"};
  for (const Pass& pass : kPasses) names.push_back(pass.name);
  return names;
}

std::string print_after(const Request& request, std::string_view wanted) {
  Draft draft = start(request);
  if (wanted == "model") return to_text(draft);
  for (const Pass& pass : kPasses) {
    draft = pass.run(std::move(draft));
    if (pass.name == wanted) return to_text(draft);
  }
  base::fail<base::JobError>("no pass '{}': choose one of {}", wanted, fmt::join(pass_names(), ", "));
}

}  // namespace pleat::compile
