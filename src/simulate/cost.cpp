// SPDX-License-Identifier: Apache-2.0
#include "simulate/cost.h"

#include <algorithm>
#include <cmath>

#include "base/errors.h"

namespace pleat::simulate {
namespace {

using graph::Cost;
using graph::Op;
using graph::OperandType;
using graph::Signature;
using program::Instruction;
using target::Target;

double bytes_of(const OperandType& type) {
  return static_cast<double>(type.shape.elements() * base::size_of(type.dtype));
}

double elements_of(const OperandType& type) {
  return static_cast<double>(type.shape.elements());
}

/// The operations that no graph has: of the optimizer, of the host, and slice.
Cost plain_cost(const Signature& s) {
  Cost cost = graph::streaming_cost(s);
  switch (s.op) {
    case Op::sum_squares:
      cost.flops = 2 * elements_of(s.reads[0]);
      break;
    case Op::adamw:  // its results are read as well
      cost.flops = 15 * elements_of(s.reads[0]);
      for (const OperandType& state : s.writes) cost.bytes += bytes_of(state);
      break;
    case Op::slice:
      cost.bytes = 2 * bytes_of(s.writes[0]);
      break;
    case Op::load:
    case Op::emit:  // the caller has the other side
      cost.bytes *= 2;
      cost.flops = 0;
      break;
    default:  // zero, clip
      break;
  }
  return cost;
}

bool has_graph_facts(Op op) {
  return op < Op::all_reduce && op != Op::share;
}

double flops_rate(const Signature& s, const Target& target) {
  const bool in_bf16 = !s.reads.empty() && s.reads[0].dtype == base::DType::bf16;
  const bool in_double = !s.reads.empty() && s.reads[0].dtype == base::DType::f64;
  return in_bf16 ? target.flops_bf16 : in_double ? target.flops_f32 / 2 : target.flops_f32;
}

int64_t ns_of(double seconds) {
  return std::llround(seconds * 1e9);
}

double bandwidth(const Target& target, int threads) {
  return std::min(target.core_bandwidth * threads, target.memory_bandwidth);
}

/// Without the fixed cost of a call.
double roofline_seconds(const Instruction& instruction, const Target& target, int threads) {
  const Cost cost = cost_of(instruction);
  const double arithmetic = cost.flops / (flops_rate(program::signature_of(instruction), target) * threads);
  return std::max(arithmetic, cost.bytes / bandwidth(target, threads));
}

int threads_of(const Instruction& instruction, const Target& target, int threads) {
  return instruction.queue == program::Queue::compute ? std::clamp(threads, 1, target.cores) : 1;
}

/// Copies and sums of a transport, by one thread, in as many phases as it has.
Transfer by_thread(std::initializer_list<double> traffic, const Target& target, double factor) {
  Transfer transfer;
  transfer.delay_ns = ns_of(target.message_seconds);
  for (double bytes : traffic) {
    Work& work = transfer.work[transfer.phases++];
    work.ns = ns_of(bytes / bandwidth(target, 1) * factor);
    work.bytes_per_ns = work.ns == 0 ? 0 : bytes / static_cast<double>(work.ns);
  }
  return transfer;
}

int64_t agreed_bytes(const Instruction& instruction) {
  const OperandType& type =
      instruction.op == Op::receive ? instruction.results[0].region.type : instruction.reads[0].type;
  return instruction.op == Op::exchange ? type.shape.row_elements() * base::size_of(type.dtype)
                                        : type.bytes();
}

}  // namespace

Cost cost_of(const Instruction& instruction) {
  const Signature signature = program::signature_of(instruction);
  if (!has_graph_facts(instruction.op)) return plain_cost(signature);
  Cost cost = graph::facts_of(instruction.op).cost(signature);
  for (size_t i = 0; i < signature.writes.size(); ++i)
    if (signature.accumulates >> i & 1u) cost.bytes += bytes_of(signature.writes[i]);
  return cost;
}

Work work_of(const Instruction& instruction, const Target& target, int threads,
             const Calibration& calibration) {
  Work work;
  work.threads = threads_of(instruction, target, threads);
  const double seconds = roofline_seconds(instruction, target, work.threads) * calibration[instruction.op];
  work.ns = ns_of(seconds + target.call_seconds);
  if (work.ns > 0) work.bytes_per_ns = cost_of(instruction).bytes / static_cast<double>(work.ns);
  return work;
}

Transfer transfer_of(const Instruction& instruction, int64_t members, const Target& target,
                     const Calibration& calibration) {
  const double factor = calibration[instruction.op];
  const double n = static_cast<double>(members);
  const double in = instruction.reads.empty() ? 0 : bytes_of(instruction.reads[0].type);
  const double out = instruction.results.empty() ? 0 : bytes_of(instruction.results[0].region.type);
  Transfer transfer;
  switch (instruction.op) {
    case Op::send:  // the receiver copies
      transfer = by_thread({0}, target, factor);
      break;
    case Op::receive:
      transfer = by_thread({2 * out}, target, factor);
      break;
    case Op::all_reduce:  // everybody sums a share of all, then copies the others' shares
      transfer = members == 1 ? Transfer{} : by_thread({in + in / n, 2 * in * (n - 1) / n}, target, factor);
      break;
    case Op::all_gather:
      transfer = by_thread({2 * out}, target, factor);
      break;
    case Op::reduce_scatter:
      transfer = by_thread({in + out}, target, factor);
      break;
    case Op::all_to_all:
      transfer = by_thread({2 * in}, target, factor);
      break;
    case Op::exchange:  // with balanced experts: the smaller buffer is the one whose bound is tight
      transfer = by_thread({2 * std::min(in, out)}, target, factor);
      break;
    default:
      base::fail<base::CheckError>("{} is no communication", graph::name_of(instruction.op));
  }
  transfer.bytes = agreed_bytes(instruction);
  return transfer;
}

}  // namespace pleat::simulate
