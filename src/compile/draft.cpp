// SPDX-License-Identifier: Apache-2.0
#include "compile/draft.h"

#include "base/errors.h"

namespace pleat::compile {

int StageDraft::add_buffer(std::string name, graph::OperandType type, Area area) {
  const int id = static_cast<int>(buffers.size());
  buffers.push_back({std::move(name), type, area, id, 0});
  return id;
}

int StageDraft::add_view(int of, std::string name, graph::OperandType type, int64_t offset_bytes) {
  const int id = static_cast<int>(buffers.size());
  const Buffer& whole = buffers[of];
  buffers.push_back({std::move(name), type, whole.area, whole.root, whole.offset + offset_bytes});
  return id;
}

int StageDraft::piece_index(Phase phase) const {
  for (size_t i = 0; i < pieces.size(); ++i)
    if (pieces[i].phase == phase) return static_cast<int>(i);
  return -1;
}

Piece& StageDraft::piece(Phase phase) {
  const int index = piece_index(phase);
  if (index < 0)
    base::fail<base::CheckError>("stage {} has no piece {}", stage.value, program::name_of(phase));
  return pieces[index];
}

int StageDraft::state_buffer(const std::string& parameter, program::Role role) const {
  for (size_t i = 0; i < state.size(); ++i)
    if (state[i].name == parameter && state[i].role == role) return state_buffers[i];
  base::fail<base::CheckError>("no {} of '{}' in the state of stage {}",
                               program::kRoleNames[static_cast<int>(role)], parameter, stage.value);
}

int StageDraft::input_buffer(std::string_view name) const {
  for (const auto& [port, buffer] : input_buffers)
    if (port == name) return buffer;
  return -1;
}

namespace {

std::string step_text(const StageDraft& stage, const Step& step) {
  std::string text = fmt::format("  {:12} {}", program::name_of(step.queue), graph::name_of(step.op));
  for (int read : step.reads) text += fmt::format(" {}", stage.buffers[read].name);
  text += " ->";
  for (const auto& [result, mode] : step.results)
    text += fmt::format(
        " {}{}", stage.buffers[result].name,
        mode == Mode::write ? "" : fmt::format("({})", program::kModeNames[static_cast<int>(mode)]));
  if (step.party)
    text += fmt::format(" over {} \"{}\"", layout::to_string(step.party->axes), step.party->purpose);
  if (step.guard) text += fmt::format(" guard {}", *step.guard);
  return text + "\n";
}

}  // namespace

std::string to_text(const Draft& draft) {
  if (!draft.program.segments.empty()) return program::to_text(draft.program);
  std::string text;
  for (const StageDraft& stage : draft.stages) {
    text += fmt::format("stage {}\n", stage.stage.value);
    if (stage.pieces.empty()) text += graph::to_text(stage.graph);
    for (const Piece& piece : stage.pieces) {
      text += fmt::format("piece \"{}\"\n", piece.name);
      for (const Step& step : piece.steps) text += step_text(stage, step);
    }
    for (const Turn& turn : stage.order)
      text += fmt::format("turn \"{}\" {}\n", stage.pieces[turn.piece].name, turn.micro_batch);
  }
  return text;
}

}  // namespace pleat::compile
