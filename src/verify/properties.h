// SPDX-License-Identifier: Apache-2.0
// The properties, one file each. Each is given lists already known to be well-formed (well_formed excepted)
// and leaves what it finds.
#pragma once
#include <vector>

#include "verify/flat.h"
#include "verify/issues.h"

namespace pleat::verify {

using FlatLists = std::vector<FlatList>;

/// References in range, regions inside their areas, operands as the operation wants them; computes or
/// communicates.
void check_well_formed(const Program& program, Issues& issues);
/// Every byte is written before it is read, once per version; sums grow in order of micro-batches; state is
/// changed by updates under the guard only. And: no live buffer is overwritten by another one.
void check_versions(const FlatList& list, const Options& options, Issues& versions, Issues& lifetimes);
/// Accesses of different queues to the same bytes are ordered by events.
void check_order(const FlatList& list, const Options& options, Issues& issues);
/// Sends meet receives and collectives meet each other in order, with equal dtypes and sizes.
void check_channels(const Program& program, const FlatLists& lists, Issues& issues);
/// Nobody waits for ever: queues by events; one stream of communication per rank; one instruction after the
/// other.
void check_progress(const Program& program, const FlatLists& lists, const Options& options, Issues& issues);
/// What every value is over every mesh axis, derived anew from the operations' facts; nothing partial goes
/// out.
void check_placements(const Program& program, const FlatLists& lists, Issues& issues);
/// Every (chunk, micro-batch) forward and backward once; every gradient whole, joined over its holders,
/// counted once in the norm; every slot updated once.
void check_contributions(const Program& program, const FlatLists& lists, Issues& issues);

}  // namespace pleat::verify
