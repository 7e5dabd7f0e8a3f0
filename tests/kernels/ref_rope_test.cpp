// SPDX-License-Identifier: Apache-2.0
// rope_table against inverse frequencies printed by transformers: row 1 of a table is the cosine and sine of
// them.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "tensors.h"

namespace pleat::kernels::testing {
namespace {

using graph::Attributes;
using graph::Op;

Attributes rope(int64_t width, double theta, const char* type) {
  return {{"sequence", int64_t{3}}, {"width", width}, {"theta", theta}, {"type", std::string(type)}};
}
Attributes with(Attributes attributes,
                std::initializer_list<std::pair<const char*, Attributes::Value>> more) {
  for (const auto& [name, value] : more) attributes.set(name, value);
  return attributes;
}
Attributes llama3(int64_t width, double factor) {
  return with(rope(width, 5e5, "llama3"), {{"factor", factor},
                                           {"low_freq_factor", 1.0},
                                           {"high_freq_factor", 4.0},
                                           {"original_max_position_embeddings", int64_t{8192}}});
}
Attributes yarn(double theta, double factor, int64_t truncate) {
  return with(rope(64, theta, "yarn"), {{"factor", factor},
                                        {"beta_fast", 32.0},
                                        {"beta_slow", 1.0},
                                        {"original_max_position_embeddings", int64_t{4096}},
                                        {"truncate", truncate}});
}

Buffer table_of(const Attributes& attributes) {
  const graph::OperandType type = CaseList::f64({3, attributes.integer("width")});
  return reference_results(Op::rope_table, attributes, {}, {type})[0];
}

/// Frequency by dim, to the nine digits printed: within two units of fp32, whose pow is not rounded correctly
/// there.
void expect_frequencies(const Attributes& attributes, double factor,
                        const std::map<int64_t, double>& expected) {
  const Buffer table = table_of(attributes);
  const int64_t half = table.view().columns() / 2;
  const double bound = 2 * std::ldexp(1, -23);
  for (const auto& [i, frequency] : expected) {
    const double cos = table.view().get(1, i), sin = table.view().get(1, half + i);
    EXPECT_NEAR(std::atan2(sin, cos), frequency, bound * frequency) << "dim " << i;
    EXPECT_NEAR(std::hypot(sin, cos), factor, 1e-14 * factor) << "dim " << i;
  }
}

TEST(RopeTable, Default) {
  expect_frequencies(
      rope(128, 5e5, "default"), 1,
      {{0, 1}, {1, .814617217}, {2, .663601279}, {3, .540580988}, {62, 3.01385808e-06}, {63, 2.4551407e-06}});
}

TEST(RopeTable, LinearDividesByTheFactor) {
  expect_frequencies(with(rope(128, 5e5, "linear"), {{"factor", 4.0}}), 1,
                     {{0, 1 / 4.}, {1, .814617217 / 4}, {63, 2.4551407e-06 / 4}});
}

TEST(RopeTable, Llama3) {
  expect_frequencies(llama3(128, 8), 1,
                     {{0, 1},
                      {28, .00321144611},
                      {29, .00216657063},
                      {30, .00137189368},
                      {32, .000524846022},
                      {35, 9.55621217e-05},
                      {36, 7.78465546e-05},
                      {40, 3.42810235e-05},
                      {63, 3.06892588e-07}});
  expect_frequencies(llama3(64, 32), 1,
                     {{0, 1},
                      {14, .00321144611},
                      {15, .00129054801},
                      {16, .000429556705},
                      {17, 9.70828623e-05},
                      {18, 1.94616387e-05},
                      {31, 9.41830649e-08}});
}

TEST(RopeTable, Yarn) {
  expect_frequencies(with(yarn(1e4, 40, 1), {{"attention_factor", 1.0}}), 1,
                     {{0, 1},
                      {9, .0749894157},
                      {10, .0562341288},
                      {11, .0390069261},
                      {16, .00550000044},
                      {22, .00017782794},
                      {23, 3.3338034e-05},
                      {31, 3.33380353e-06}});
  expect_frequencies(yarn(1.5e5, 32, 0), 1.3465735902799727,
                     {{0, 1},
                      {8, .0508132726},
                      {9, .0317056961},
                      {12, .00679495931},
                      {17, .000129318694},
                      {18, 3.83088118e-05},
                      {31, 3.0235114e-07}});
}

TEST(RopeTable, AnglesAreProductsInFp32) {
  const Buffer table = table_of(rope(6, 10000, "default"));
  const tensor::View view = table.view();
  const float inv = 1 / static_cast<float>(std::pow(10000.0, static_cast<double>(2.0f / 6.0f)));
  for (int64_t s = 0; s < 3; ++s) {
    const double angle = static_cast<float>(s) * inv;
    EXPECT_EQ(view.get(s, 1), std::cos(angle));
    EXPECT_EQ(view.get(s, 4), std::sin(angle));
  }
}

TEST(RopeTable, RefusesUnknownTypesAndMissingNumbers) {
  EXPECT_THROW(table_of(rope(6, 10000, "longrope")), base::CheckError);
  EXPECT_THROW(table_of(rope(6, 10000, "linear")), base::CheckError);
  EXPECT_THROW(table_of(rope(5, 10000, "default")), base::CheckError);
}

TEST(Rope, RotatesHalvesAndBack) {
  const Buffer x = f64s({1, 1, 4}, {1, 2, 3, 4}), at = i32s({1}, {1});
  const Buffer table = f64s({2, 4}, {9, 9, 9, 9, 0.8, 0, 0.6, 1});  // position 1: cos .8, 0, sin .6, 1
  const auto y = reference_results(Op::rope, {{"inverse", int64_t{0}}}, {&x, &at, &table}, {x.type()});
  const Numbers expected{0.8 * 1 - 0.6 * 3, -4, 0.8 * 3 + 0.6 * 1, 2};
  for (size_t i = 0; i < 4; ++i) EXPECT_DOUBLE_EQ(y[0].numbers()[i], expected[i]);
  const auto back = reference_results(Op::rope, {{"inverse", int64_t{1}}}, {&y[0], &at, &table}, {x.type()});
  for (size_t i = 0; i < 4; ++i) EXPECT_DOUBLE_EQ(back[0].numbers()[i], x.numbers()[i]);
  const Buffer beyond = i32s({1}, {2});
  EXPECT_THROW(reference_results(Op::rope, {{"inverse", int64_t{0}}}, {&x, &beyond, &table}, {x.type()}),
               base::CheckError);
}

}  // namespace
}  // namespace pleat::kernels::testing
