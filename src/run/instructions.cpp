// SPDX-License-Identifier: Apache-2.0
// What each kind of instruction does: a kernel on the team, a port, or a post to the communicator.
#include <cstring>

#include "base/errors.h"
#include "run/executor.h"

namespace pleat::run {
namespace {

using comm::Communicator;
using graph::Op;

std::span<std::byte> read_bytes(const Item& item, size_t i) {
  return {item.reads[i], static_cast<size_t>(item.instruction->reads[i].type.bytes())};
}

std::span<std::byte> write_bytes(const Item& item, size_t i) {
  return {item.writes[i], static_cast<size_t>(item.instruction->results[i].region.type.bytes())};
}

}  // namespace

bool Rank::Implementation::start(const Item& item, int64_t turn, Communicator::Ticket& ticket) {
  if (item.kernel != nullptr) {
    item.kernel->run({item.reads, item.writes, item.workspace, item.first}, team);
    return true;
  }
  switch (item.instruction->op) {
    case Op::load:
      return ports.fill(item.port, turn, item.micro_batch, write_bytes(item, 0)), true;
    case Op::emit:
      return ports.take(item.port, turn, item.micro_batch, read_bytes(item, 0)), true;
    default:
      ticket = post(item);
      return false;
  }
}

Communicator::Ticket Rank::Implementation::post_exchange(const Item& item) {
  exchange_blocks(item.exchange, reinterpret_cast<const int32_t*>(item.reads[1]), sends, receives);
  return communicator.exchange(item.channel, read_bytes(item, 0), write_bytes(item, 0),
                               item.exchange.row_bytes, sends, receives);
}

Communicator::Ticket Rank::Implementation::post(const Item& item) {
  const program::Instruction& instruction = *item.instruction;
  switch (instruction.op) {
    case Op::send:
      return communicator.send(item.channel, read_bytes(item, 0));
    case Op::receive:
      return communicator.receive(item.channel, write_bytes(item, 0));
    case Op::all_reduce:
      if (item.reads[0] != item.writes[0])
        std::memcpy(item.writes[0], item.reads[0], read_bytes(item, 0).size());
      return communicator.all_reduce(item.channel, write_bytes(item, 0), instruction.reads[0].type.dtype);
    case Op::all_gather:
      return communicator.all_gather(item.channel, read_bytes(item, 0), write_bytes(item, 0));
    case Op::reduce_scatter:
      return communicator.reduce_scatter(item.channel, read_bytes(item, 0), write_bytes(item, 0),
                                         instruction.reads[0].type.dtype);
    case Op::all_to_all:
      return communicator.all_to_all(item.channel, read_bytes(item, 0), write_bytes(item, 0));
    case Op::exchange:
      return post_exchange(item);
    default:
      base::fail<base::CheckError>("{} on queue {} is no communication", graph::name_of(instruction.op),
                                   program::name_of(instruction.queue));
  }
}

}  // namespace pleat::run
