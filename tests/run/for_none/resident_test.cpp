// SPDX-License-Identifier: Apache-2.0
// What a run takes of the machine's memory: its arenas and at most what the Program allows libraries. Not
// under a sanitizer, whose shadow memory would be counted too.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "../programs.h"
#include "../small_run.h"

namespace pleat::run {
namespace {

int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  int64_t pages = 0, resident = 0;
  file >> pages >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

struct Growth {
  int64_t after_bind = 0, after_three = 0, after_ten = 0;
};

Growth growth_of(const program::Program& program, int64_t vocabulary, int64_t sequence) {
  const int64_t before = resident_bytes();
  Crew crew(program, [=](base::Rank) { return std::make_unique<MadeUpData>(vocabulary, sequence); }, {});
  Growth growth;
  growth.after_bind = resident_bytes() - before;
  crew.each([&](base::Rank id, Rank& rank) { fill_state(program, id, rank); });
  crew.run(3);
  growth.after_three = resident_bytes() - before;
  crew.run(7);
  growth.after_ten = resident_bytes() - before;
  return growth;
}

/// Arenas far larger than the allowance, so that one of them mapped twice shows.
compile::Request resident_request() {
  compile::Request r = pipeline_request();
  r.model.vocab_size = 256, r.model.hidden_size = 128, r.model.moe_intermediate_size = 128;
  r.model.num_experts = 16;
  r.sequence = 64;
  r.catalogue = kernels::catalogue();
  return r;
}

TEST(Resident, GrowthStaysWithinArenasAndAllowance) {
  for (const base::DType activation : {base::DType::f32, base::DType::bf16}) {
    compile::Request request = resident_request();
    request.activation = activation;
    const program::Program program = compile::compile(request);
    int64_t arenas = 0;
    const int64_t world = program.layout.world();
    for (int64_t rank = 0; rank < world; ++rank)
      arenas += program.arena_bytes(program.list_of(base::Rank(rank)));
    const Growth growth = growth_of(program, 256, 64);
    ASSERT_LT(2 * world * program.allowance, arenas / world) << "or an arena more would not be seen";
    RecordProperty("arenas", std::to_string(arenas));
    RecordProperty("growth", std::to_string(growth.after_three));
    EXPECT_GE(growth.after_bind, arenas) << "pages are touched when bound";
    EXPECT_LE(growth.after_three, arenas + world * program.allowance);
    // The arenas are all there is that could grow with the model; after binding nothing of their size does.
    EXPECT_LE(growth.after_ten - growth.after_three, arenas / 100);
  }
}

/// Many instructions over small buffers: what is bound for each of them is inside the allowance too.
TEST(Resident, GrowthOfALongListStaysWithinArenasAndAllowance) {
  compile::Request request = pipeline_request();
  request.model.num_hidden_layers = 16;
  request.micro_batches = 32;
  const program::Program program = compile::compile(request);
  int64_t most = 0;
  for (int64_t rank = 0; rank < program.layout.world(); ++rank)
    most += program.arena_bytes(program.list_of(base::Rank(rank))) + program.allowance;
  EXPECT_LE(growth_of(program, 32, 4).after_three, most);
}

}  // namespace
}  // namespace pleat::run
