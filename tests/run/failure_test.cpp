// SPDX-License-Identifier: Apache-2.0
// A rank that throws ends the others, and the caller sees the first cause with rank, instruction and its
// text.
#include <gtest/gtest.h>

#include <atomic>

#include "base/errors.h"
#include "programs.h"
#include "small_run.h"

namespace pleat::run {
namespace {

using ::testing::TestWithParam;

/// Throws instead of filling one port of one micro-batch in one step, on one rank.
class Damaged final : public MadeUpData {
 public:
  enum class Damage : uint8_t { none, throws, outside };
  explicit Damaged(Damage damage) : damage_(damage) {}
  void fill(std::string_view port, int64_t step, int micro_batch, std::span<std::byte> bytes) override {
    MadeUpData::fill(port, step, micro_batch, bytes);
    if (port != "tokens" || step != 1 || micro_batch != 2) return;
    if (damage_ == Damage::throws) base::fail<base::DataError>("shard 3 cannot be read");
    if (damage_ == Damage::outside) bytes[1] = std::byte{1};  // 256 and more in a vocabulary of 32
  }

 private:
  Damage damage_;
};

/// What a run of three steps throws when `rank` is damaged.
template <class Error>
std::string error_of(Damaged::Damage damage, int32_t rank, Options options) {
  const program::Program program = compile::compile(pipeline_request());
  Crew crew(
      program,
      [&](base::Rank id) {
        return std::make_unique<Damaged>(id.value == rank ? damage : Damaged::Damage::none);
      },
      options);
  crew.each([&](base::Rank id, Rank& bound) { fill_state(program, id, bound); });
  try {
    crew.run(3);
  } catch (const Error& error) {
    EXPECT_THROW(crew.run(1), Error) << "and stays so";
    return error.what();
  }
  return "no error";
}

class Failure : public TestWithParam<Order> {};
INSTANTIATE_TEST_SUITE_P(, Failure, testing::Values(Order::in_order, Order::queues), [](const auto& order) {
  return order.param == Order::queues ? "Queues" : "InOrder";
});

TEST_P(Failure, PortThatThrows) {
  for (int32_t rank : {0, 1}) {  // the ranks of the first stage have the tokens
    const std::string text = error_of<base::DataError>(Damaged::Damage::throws, rank, {.order = GetParam()});
    EXPECT_TRUE(text.starts_with(fmt::format("shard 3 cannot be read\n  at rank {}, ", rank))) << text;
    EXPECT_NE(text.find("micro-batch 2, instruction "), std::string::npos) << text;
    EXPECT_NE(text.find("host load {port=\"tokens\"}"), std::string::npos) << text;
  }
}

TEST_P(Failure, TokenOutsideTheVocabulary) {
  const std::string text = error_of<base::CheckError>(Damaged::Damage::outside, 1, {.order = GetParam()});
  EXPECT_NE(text.find("outside the vocabulary, [0, 32)"), std::string::npos) << text;
  EXPECT_NE(text.find("at rank 1, forward 0, micro-batch 2, instruction "), std::string::npos) << text;
  EXPECT_NE(text.find("compute embedding"), std::string::npos) << text;
  EXPECT_NE(text.find("label \"model.embed_tokens.weight\""), std::string::npos) << text;
}

TEST_P(Failure, EveryOtherRankNamesTheCause) {
  const program::Program program = compile::compile(pipeline_request());
  Crew crew(
      program,
      [&](base::Rank id) {
        return std::make_unique<Damaged>(id.value == 0 ? Damaged::Damage::throws : Damaged::Damage::none);
      },
      {.order = GetParam()});
  std::vector<std::string> errors(4);
  const auto body = [&](base::Rank id, Rank& rank) {
    fill_state(program, id, rank);
    try {
      rank.run(3);
    } catch (const std::exception& error) {
      errors[static_cast<size_t>(id.value)] = error.what();
      throw;
    }
  };
  EXPECT_THROW(crew.each(body), base::DataError);
  for (size_t rank = 1; rank < errors.size(); ++rank) {
    EXPECT_TRUE(errors[rank].starts_with("rank 0 failed: shard 3 cannot be read")) << errors[rank];
    EXPECT_NE(errors[rank].find(fmt::format("\n  at rank {}, ", rank)), std::string::npos) << errors[rank];
  }
}

TEST(CrewFailure, PortsThatCannotBeMade) {
  const program::Program program = compile::compile(small_request(false, {.dp = 2}));
  const auto make = [](base::Rank id) -> std::unique_ptr<Ports> {
    if (id.value == 1) base::fail<base::DataError>("no data for rank 1");
    return std::make_unique<MadeUpData>();
  };
  EXPECT_THROW(Crew(program, make, {}), base::DataError);
}

TEST(CrewFailure, KernelThatDoesNotBind) {
  program::Program program = compile::compile(small_request(false, {.pp = 2}));
  for (program::Segment& segment : program.segments)
    for (program::Instruction& i : segment.instructions)
      if (i.op == graph::Op::cross_entropy) i.kernel = "tpu";
  try {
    Crew(program, [](base::Rank) { return std::make_unique<MadeUpData>(); }, {});
    FAIL() << "bound";
  } catch (const base::CheckError& error) {
    EXPECT_NE(std::string(error.what()).find("unknown kernel 'tpu'"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("\n  at rank 1, forward 1, micro-batch 0, instruction "),
              std::string::npos)
        << error.what();
  }
}

/// Ends with an exception that is not the run's: of the body that the caller gave.
TEST(CrewFailure, BodyThatThrowsEndsRanksThatRun) {
  const program::Program program = compile::compile(small_request(false, {.dp = 2}));
  Crew crew(program, [](base::Rank) { return std::make_unique<MadeUpData>(); }, {});
  std::atomic<bool> other_ended = false;
  const auto body = [&](base::Rank id, Rank& rank) {
    if (id.value == 0) throw std::runtime_error("the disk is full");
    try {
      rank.run(1);  // needs the gradients of rank 0
    } catch (const base::CommError&) {
      other_ended = true;
      throw;
    }
  };
  try {
    crew.each(body);
    FAIL() << "no error";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "the disk is full");
  }
  EXPECT_TRUE(other_ended);
}

}  // namespace
}  // namespace pleat::run
