// SPDX-License-Identifier: Apache-2.0
// Steps 3 to 6 of a training run allocate nothing, on no thread: executor, transport, kernels and their
// workers.
#include "allocations.h"

#include <gtest/gtest.h>

#include "programs.h"
#include "small_run.h"

namespace pleat::run {
namespace {

constexpr int64_t kWarm = 2, kMeasured = 4;

int64_t allocations_of(const program::Program& program, Order order) {
  Options options;
  options.order = order;
  Crew crew(program, [](base::Rank) { return std::make_unique<MadeUpData>(); }, options);
  crew.each([&](base::Rank id, Rank& rank) { fill_state(program, id, rank); });
  crew.run(kWarm);
  const int64_t before = allocations_so_far();
  crew.run(kMeasured);
  return allocations_so_far() - before;
}

class Allocating : public testing::TestWithParam<Order> {};
INSTANTIATE_TEST_SUITE_P(, Allocating, testing::Values(Order::in_order, Order::queues),
                         [](const auto& order) {
                           return order.param == Order::queues ? "Queues" : "InOrder";
                         });

TEST_P(Allocating, NothingWithReferenceKernels) {
  EXPECT_EQ(allocations_of(compile::compile(pipeline_request()), GetParam()), 0);
}

TEST_P(Allocating, NothingWithFastKernels) {
  compile::Request request = pipeline_request();
  request.catalogue = kernels::catalogue();
  for (const base::DType activation : {base::DType::f32, base::DType::bf16}) {
    for (int workers : {1, 2}) {
      request.activation = activation;
      request.threads = workers;
      EXPECT_EQ(allocations_of(compile::compile(request), GetParam()), 0)
          << base::name_of(activation) << ", " << workers << " workers";
    }
  }
}

TEST(AllocationCount, Counts) {
  const int64_t before = allocations_so_far();
  auto* data = new volatile int(1);
  delete data;
  EXPECT_EQ(allocations_so_far(), before + 1);
}

}  // namespace
}  // namespace pleat::run
