// SPDX-License-Identifier: Apache-2.0
// Steps 3 to 6 of a training run allocate nothing, on no thread: executor, ports, transport, kernels and
// their workers. The matrix library allocates in its own calls; what it may is stated here.
#include "allocations.h"

#include <gtest/gtest.h>

#include "programs.h"
#include "small_run.h"

namespace pleat::run {
namespace {

constexpr int64_t kWarm = 2, kMeasured = 4;

Allocations allocations_of(const program::Program& program, Order order) {
  Options options;
  options.order = order;
  Crew crew(program, [](base::Rank) { return std::make_unique<MadeUpData>(); }, options);
  crew.each([&](base::Rank id, Rank& rank) { fill_state(program, id, rank); });
  crew.run(kWarm);
  const Allocations before = allocations_so_far();
  crew.run(kMeasured);
  const Allocations after = allocations_so_far();
  return {after.ours - before.ours, after.matrix_library - before.matrix_library};
}

/// Instructions of all ranks that call the matrix library, in one step.
int64_t products(const program::Program& program) {
  int64_t count = 0;
  for (int64_t rank = 0; rank < program.layout.world(); ++rank)
    for (const program::Instance& instance : program.list_of(base::Rank(rank)).instances)
      for (const program::Instruction& i : program.segments[instance.segment].instructions)
        count += i.kernel == "cpu.onednn" ? 1 : 0;
  return count;
}

class Allocating : public testing::TestWithParam<Order> {};
INSTANTIATE_TEST_SUITE_P(, Allocating, testing::Values(Order::inline_, Order::queues), [](const auto& order) {
  return order.param == Order::queues ? "Queues" : "Inline";
});

TEST_P(Allocating, NothingInAStep) {
  const Allocations all = allocations_of(compile::compile(pipeline_request()), GetParam());
  EXPECT_EQ(all.ours, 0);
  EXPECT_EQ(all.matrix_library, 0);
}

TEST_P(Allocating, NothingButTheMatrixLibrarysOwn) {
  compile::Request request = pipeline_request();
  request.catalogue = kernels::catalogue();
  request.threads = 2;
  for (const base::DType activation : {base::DType::f32, base::DType::bf16}) {
    request.activation = activation;
    const program::Program program = compile::compile(request);
    const Allocations all = allocations_of(program, GetParam());
    EXPECT_EQ(all.ours, 0) << base::name_of(activation);
    // The arguments of a call and its scratch list: a handful of small pieces for each tile of a product, and
    // the products here are of one tile for each of four experts at most.
    RecordProperty("matrix_library", std::to_string(all.matrix_library));
    EXPECT_LE(all.matrix_library, 16 * 4 * products(program) * kMeasured) << base::name_of(activation);
  }
}

TEST(AllocationCount, Counts) {
  const Allocations before = allocations_so_far();
  auto* data = new volatile int(1);
  delete data;
  EXPECT_EQ(allocations_so_far().ours, before.ours + 1);
}

}  // namespace
}  // namespace pleat::run
