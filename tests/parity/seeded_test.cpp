// SPDX-License-Identifier: Apache-2.0
// The generator gives the numbers that made the fixtures: first words by hand, then the ids of every case.
#include "seeded.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "fixture.h"

namespace pleat::parity {
namespace {

TEST(Seeded, FirstIds) {
  const std::vector<int64_t> first{2, 97, 194, 185, 168, 139, 37, 163};
  EXPECT_EQ(seeded_token_ids(8, 256), first);
}

TEST(Seeded, IdsOfEveryFixture) {
  const std::vector<Fixture> all = fixtures();
  ASSERT_GE(all.size(), 8u);
  for (const Fixture& fixture : all) {
    const Tensors expected = read_tensors(fixture.folder / "expected.safetensors");
    const Tensors stored = read_tensors(fixture.folder / "input_ids.safetensors");
    const Tensor& ids = stored.at("input_ids");
    const int64_t vocabulary = expected.at("logits").shape[2];
    const std::vector<int64_t> made = seeded_token_ids(ids.shape.elements(), vocabulary);
    EXPECT_EQ(std::vector<double>(made.begin(), made.end()), ids.values) << fixture.name;
  }
}

TEST(Seeded, RangesByKindOfName) {
  for (const auto& [name, low, high] : {std::tuple{"model.norm.weight", 0.9, 1.1},
                                        std::tuple{"model.layers.0.self_attn.q_proj.bias", -0.1, 0.1},
                                        std::tuple{"model.layers.0.mlp.gate.weight", -0.2, 0.2}}) {
    const std::vector<float> values = seeded_weight(name, 4096);
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    const double width = high - low;
    EXPECT_GE(*least, static_cast<float>(low)) << name;
    EXPECT_LE(*most, static_cast<float>(high)) << name;
    // 4096 uniform draws leave less than a hundredth at each end, but for a chance of e^-40.
    EXPECT_LT(*least, low + 0.01 * width) << name;
    EXPECT_GT(*most, high - 0.01 * width) << name;
  }
}

TEST(Seeded, WeightsOfThePythonGenerator) {
  const std::vector<float> weight = seeded_weight("model.embed_tokens.weight", 3);
  EXPECT_EQ(weight[0], -0.0514838099f);
  EXPECT_EQ(weight[1], -0.0719927177f);
  EXPECT_EQ(weight[2], 0.00531409727f);
  EXPECT_EQ(seeded_weight("model.norm.weight", 1)[0], 0.909737587f);
}

}  // namespace
}  // namespace pleat::parity
